"""A text with the surprisal of every word: plain data in, one page of HTML out."""

from rnnlm.reports.surprisal_page.page import GENERATOR, MOST_ROWS, surprisal_page
from rnnlm.reports.surprisal_page.reading import Reading

__all__ = ["GENERATOR", "MOST_ROWS", "Reading", "surprisal_page"]
