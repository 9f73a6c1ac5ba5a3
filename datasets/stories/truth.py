"""The truth about a text: surprisal, entropy and its reduction, exact, word by word.

Every number follows from the true distribution of the next word (see `next_words.py`).
They are what a perfect model of these stories would report of the same text.
"""

from grammar import EOS  # the files next to this one
from next_words import NextWords, entropy, surprisal

COLUMNS = ("sentence", "position", "word", "surprisal", "entropy", "entropy_reduction")
DIGITS = 9  # a logarithm that differs in its last bit on another machine rounds to the same nine
HEADER = """\
# truth: the exact distribution of the next word, from stories.grammar
# text: {name}
# made_by: python datasets/stories/make_stories.py --seed {seed}
# protocol: stream: after the last line end of a story comes another, independent of it
# base: 2
# first_word: scored, as the first of a story; nothing was before it
# entropy: of the distribution before the word was read
# entropy_reduction: of one word, the entropy before it less the entropy after it
"""


def true_scores(grammar, tokens):
    """Yield (token, surprisal, entropy, its reduction), bits; None in the last row."""
    reader, before = NextWords(grammar), None
    for token in tokens:
        now = entropy(reader.distribution)
        if before:
            yield *before, before[-1] - now
        before = token, surprisal(reader.distribution, token), now
        reader.read(token)
    if before:
        yield *before, None


def truth_table(grammar, tokens, name, seed):
    """The truth file of a text: a header, a line of columns, a line for each token."""
    lines, sentence, position = ["\t".join(COLUMNS)], 1, 1
    for token, *numbers in true_scores(grammar, tokens):
        word = "<eos>" if token == EOS else token
        lines.append("\t".join([str(sentence), str(position), word, *map(_shown, numbers)]))
        sentence, position = (sentence + 1, 1) if token == EOS else (sentence, position + 1)
    return HEADER.format(name=name, seed=seed) + "\n".join(lines) + "\n"


def _shown(number):
    """A number with all its digits; NA for None, and no sign before zero."""
    return "NA" if number is None else f"{round(number, DIGITS) + 0.0:.{DIGITS}f}"
