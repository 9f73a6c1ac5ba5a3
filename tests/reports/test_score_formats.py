"""What holds for every format in which scores can be printed."""

import math
from pathlib import Path

import numpy as np
import pytest
from score_rows import printed, rows_of

from rnnlm.errors import RnnlmError
from rnnlm.reports.score_formats import SCORE_FORMATS
from rnnlm.reports.score_tables import FORMATS
from rnnlm.text.vocabulary import Vocabulary

OTHERS = sorted(set(SCORE_FORMATS) - set(FORMATS))
VOCABULARY = Vocabulary("<eos> the dog <unk> #".split())
SENTENCES = [[("the", -1.5), ("zebra", -7.0), ("#", -0.5), (None, -0.25)],
             [(None, -4.0)],
             [("dog", -3.0), (None, -1.0)]]
CONVENTIONS = Path(__file__).parents[2] / "docs/conventions.md"


@pytest.fixture
def rows():
    return rows_of(SENTENCES, VOCABULARY.words, entropies=np.linspace(1, 2, 7))


@pytest.mark.parametrize("name", OTHERS)
def test_a_text_in_parts_is_printed_as_a_whole(name, rows):
    whole = printed(name, rows, VOCABULARY)
    for cuts in ([1], [3, 4, 4, 5], range(1, 7)):
        assert printed(name, rows, VOCABULARY, cuts=list(cuts)) == whole


@pytest.mark.parametrize("name", OTHERS)
def test_the_columns_may_be_a_dict_of_arrays(name, rows):
    table = SCORE_FORMATS[name]({}, [], VOCABULARY)
    columns = {column: rows[column] for column in rows.dtype.names}
    assert table.begin() + table.rows(columns) + table.end() == printed(name, rows, VOCABULARY, {"": ""})


@pytest.mark.parametrize("name", OTHERS)
def test_a_blank_line_between_documents_is_no_part_of_the_text(name, rows):
    blank = rows[4:5].copy()
    blank["log_prob"] = blank["surprisal"] = math.nan
    with_blank = printed(name, np.concatenate([rows[:4], blank, rows[5:]]), VOCABULARY)
    assert with_blank == printed(name, np.concatenate([rows[:4], rows[5:]]), VOCABULARY)


@pytest.mark.parametrize("name", ["kenlm", "classic"])
def test_ids_of_words_need_a_model_of_words(name):
    with pytest.raises(RnnlmError, match=f"^{name} has the ids of words, .* choose another format$"):
        SCORE_FORMATS[name]({}, [], Vocabulary(["<eos>", "a"], "char"))


@pytest.mark.parametrize("name", sorted(set(OTHERS) - {"kenlm", "classic"}))
def test_a_model_of_characters_has_words_too(name, rows):
    assert printed(name, rows, Vocabulary(["<eos>", "a"], "char"))


@pytest.mark.parametrize("name", OTHERS)
def test_a_format_says_what_it_leaves_out_and_has_its_row_in_the_document(name):
    assert SCORE_FORMATS[name].leaves_out
    assert f"\n| `{name}` | " in CONVENTIONS.read_text(encoding="utf-8")
