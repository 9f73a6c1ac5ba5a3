"""The tables of ModelBlocks, LM Zoo and neural-complexity, as they are read."""

import io
import math

import numpy as np
import pytest
from score_rows import printed, rows_of

KNOWN = "the dog sees <unk>".split()
SENTENCES = [[("the", -1.5), ("zebra", -7.0), ("sees", -1 / 3), (None, -0.25)],
             [(None, -4.0)],
             [("dog", -3.0), (None, -1.0)]]
ENTROPIES = [2.0, 1.25, 4.5, 1.0, 0.5, 0.5, 0.125]


@pytest.fixture
def rows():
    return rows_of(SENTENCES, KNOWN, entropies=ENTROPIES)


def records(text, separator=None):
    """The rows of a table as dicts, read as ModelBlocks' and REPLICA's scripts do."""
    names, *lines = (line.split(separator) for line in io.StringIO(text))
    return [dict(zip(names, line, strict=True)) for line in lines]


def test_itemmeasures_is_a_table_with_a_row_for_each_word_of_the_text(rows):
    rows["rank"][2], rows["frequency"][1] = -1, -1  # not known
    assert printed("itemmeasures", rows) == (
        "word sentid sentpos oov totsurp entropy entred rank freq\n"
        "the 0 1 0 1.500000 2.000000 0.750000 1 100\n"
        "zebra 0 2 1 7.000000 1.250000 -3.250000 2 NA\n"
        "sees 0 3 0 0.333333 4.500000 3.500000 NA 102\n"
        "dog 1 1 0 3.000000 0.500000 0.375000 6 105\n")


def test_itemmeasures_has_na_for_a_word_without_a_probability():
    rows = rows_of([[("zebra", math.nan), (None, -1.0)]], [])
    rows["rank"] = rows["frequency"] = -1
    assert printed("itemmeasures", rows).splitlines()[1] == "zebra 0 1 1 NA NA NA NA NA"


def test_itemmeasures_gives_the_lines_of_the_text_back(rows):
    sentences = {}
    for row in records(printed("itemmeasures", rows)):
        sentences.setdefault(row["sentid"], []).append(row["word"])
    assert sentences == {"0": ["the", "zebra", "sees"], "1": ["dog"]}


def test_lm_zoo_has_a_row_for_each_token_and_the_sentence_end(rows):
    assert printed("lm-zoo", rows) == (
        "sentence_id\ttoken_id\ttoken\tsurprisal\n"
        "1\t1\tthe\t1.500000\n1\t2\t<unk>\t7.000000\n1\t3\tsees\t0.333333\n1\t4\t<eos>\t0.250000\n"
        "2\t1\t<eos>\t4.000000\n"
        "3\t1\tdog\t3.000000\n3\t2\t<eos>\t1.000000\n")


def test_neural_complexity_prints_what_its_arithmetic_gives(rows):
    assert printed("neural-complexity", rows) == (
        "word sentid sentpos wlen surp entropy entred\n"
        "the 0 0 3 1.5 2.0 0\n"
        "<unk> 0 1 5 7.0 1.25 0.75\n"
        f"sees 0 2 4 {float(np.float32(1 / 3))} 4.5 0\n"
        "dog 1 0 3 3.0 0.5 0\n")


def test_neural_complexity_has_the_digits_of_float32(rows):
    rows["surprisal"][0] = 6.9114185  # not a float32
    surprisal = records(printed("neural-complexity", rows), " ")[0]["surp"]
    assert surprisal == "6.911418437957764"


def test_tables_of_words_without_a_probability_can_be_read_as_numbers():
    rows = rows_of([[("zebra", math.nan), (None, -1.0)]], [])
    for name, column in (("lm-zoo", "surprisal"), ("neural-complexity", "surp")):
        assert math.isnan(float(records(printed(name, rows))[0][column]))
