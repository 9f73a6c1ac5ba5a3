"""The true distribution of the stories: by hand, by brute force, and as shipped."""

import itertools
import json
import math
from collections import Counter

import pytest
from stories_corpus import FOLDER, grammar, make_stories, next_words, truth

TINY = """
STORY
    [WHO] {was} THING / END
WHO: was | he
    3* was | he
    were | they
THING = ill old
END
    {he} slept /
    {he} slept / {he} slept /
"""
AMBIGUOUS = """
STORY
    A B /
A
    x
    x y
B
    y z
    3* z
"""
SHARED_BEGINNING = """
STORY
    WALK /
WALK
    go
    3* go WALK
"""


def grammar_of(text):
    return grammar.Grammar(grammar.parse(text))


def reader_after(known, tokens):
    reader = next_words.NextWords(known)
    for token in tokens:
        reader.read(token)
    return reader


@pytest.fixture(scope="module")
def known():
    return grammar.Grammar.read(FOLDER / "stories.grammar")


@pytest.fixture(scope="module")
def tokens():
    return make_stories.from_text((FOLDER / "test.txt").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scores(known, tokens):
    return list(truth.true_scores(known, tokens))


# ---- worked out by hand ----


def test_a_tiny_grammar_by_hand():
    """was 3/4, were 1/4; ill or old; then a nap, and in half of the stories another."""
    rows = list(truth.true_scores(grammar_of(TINY), "were old / they slept / they slept / was".split()))
    coin = -0.75 * math.log2(0.75) - 0.25 * math.log2(0.25)
    after_a_nap = 1 + coin / 2  # they, was, were: 1/2, 3/8, 1/8
    assert [row[0] for row in rows] == "were old / they slept / they slept / was".split()
    assert [row[1] for row in rows] == pytest.approx([2, 1, 0, 0, 0, 0, 1, 0, 0, -math.log2(0.75)])
    assert [row[2] for row in rows] == pytest.approx([coin, 1, 0, 0, 0, 0, after_a_nap, 0, 0, coin])
    assert [row[3] for row in rows[:-1]] == pytest.approx(
        [coin - 1, 1, 0, 0, 0, -after_a_nap, after_a_nap, 0, -coin])
    assert rows[-1][3] is None


def test_all_paths_that_agree_so_far_count():
    """Half of the stories have A = x, half A = x y; B = y z has 1/4, B = z has 3/4."""
    reader = reader_after(grammar_of(AMBIGUOUS), ["x"])
    assert reader.distribution == pytest.approx({"y": 1 / 8 + 1 / 2, "z": 3 / 8})
    reader.read("y")
    assert reader.distribution == pytest.approx({"z": 1 / 5 + 3 / 5, "y": 1 / 5})


def test_a_rule_that_calls_itself():
    reader = reader_after(grammar_of(SHARED_BEGINNING), ["go"] * 50)
    assert reader.distribution == pytest.approx({"/": 1 / 4, "go": 3 / 4})


def test_an_impossible_word_is_named():
    with pytest.raises(ValueError, match="they is impossible here: possible are he"):
        reader_after(grammar_of(TINY), "was old / they".split())


# ---- by brute force ----


def all_stories(rules, symbols=("STORY",), facts=()):
    """Every story and its probability, by plain recursion."""
    if not symbols:
        return [((), 1.0)]
    (symbol, *rest), known = symbols, dict(facts)
    if symbol.startswith("{"):
        return all_stories(rules, (*known[symbol[1:-1]], *rest), facts)
    if not grammar.is_command(symbol):
        return [((symbol, *words), p) for words, p in all_stories(rules, rest, facts)]
    rule, found = rules[symbol.strip("[]")], []
    for choice, weight in zip(rule.choices, rule.weights, strict=True):
        if symbol.startswith("["):
            branch = all_stories(rules, rest, (*facts, *zip(rule.columns, map(tuple, choice), strict=True)))
        else:
            branch = all_stories(rules, (*choice, *rest), facts)
        found += [(words, weight * p) for words, p in branch]
    return found


@pytest.mark.parametrize("text", [TINY, AMBIGUOUS])
def test_every_prefix_of_two_stories_has_the_distribution_of_brute_force(text):
    stories = all_stories(grammar.parse(text))
    assert sum(p for _, p in stories) == pytest.approx(1)
    begins = Counter()  # the probability that a text begins with these words
    for (first, p), (second, q), (third, r) in itertools.product(stories, repeat=3):
        for length in range(len(first) + len(second) + 2):
            begins[(first + second + third)[:length]] += p * q * r
    shortest = 2 * min(len(words) for words, _ in stories)  # no text of so many tokens needs a fourth story
    prefixes = [prefix for prefix in begins if len(prefix) <= shortest]
    assert len(prefixes) >= 20
    for prefix in prefixes:
        expected = {begin[-1]: p / begins[prefix] for begin, p in begins.items() if begin and begin[:-1] == prefix}
        assert reader_after(grammar_of(text), prefix).distribution == pytest.approx(expected)


def test_the_entropies_add_up_to_that_of_a_whole_story():
    """The chain rule: H(story) is the sum over prefixes of P(prefix) H(next word)."""
    stories = all_stories(grammar.parse(TINY))
    total = 0
    for prefix in {words[:length] for words, _ in stories for length in range(len(words))}:
        p = sum(q for words, q in stories if words[: len(prefix)] == prefix)
        ended = sum(q for words, q in stories if words == prefix)
        if ended:  # here the next word may be another story's: only whether it is belongs to this one
            share = ended / p
            total += p * (-share * math.log2(share) - (1 - share) * math.log2(1 - share))
        else:
            total += p * next_words.entropy(reader_after(grammar_of(TINY), prefix).distribution)
    assert total == pytest.approx(-sum(p * math.log2(p) for _, p in stories))


# ---- the stories ----


def test_the_surprisals_add_up_to_the_best_possible_perplexity(scores):
    best = json.loads((FOLDER / "corpus.json").read_text(encoding="utf-8"))["best_possible"]["test"]
    bits = math.fsum(row[1] for row in scores)
    assert len(scores) == best["targets"]
    assert -bits * math.log(2) == pytest.approx(best["log_prob"], abs=1e-6)
    assert 2 ** (bits / len(scores)) == pytest.approx(best["perplexity"], abs=1e-6)


def test_surprisals_of_a_story_add_up_to_what_a_search_of_all_derivations_finds(known):
    for tokens, _ in make_stories.draw_split(known, 5 * 160, seed=11):
        bits = math.fsum(row[1] for row in truth.true_scores(known, tokens))
        assert -bits * math.log(2) == pytest.approx(known.score(tokens).log_prob, abs=1e-9)


def test_every_distribution_sums_to_one(known, tokens):
    reader = next_words.NextWords(known)
    for token in tokens[:2000]:
        assert math.fsum(reader.distribution.values()) == pytest.approx(1, abs=1e-12)
        assert min(reader.distribution.values()) > 0
        reader.read(token)


def test_surprisal_is_entropy_on_average_over_many_stories(known):
    """The gaps have mean 0 given what came before, so they average out."""
    rows = [row for tokens, _ in make_stories.draw_split(known, 10_000, seed=12)
            for row in truth.true_scores(known, tokens)]
    gaps = [surprisal - entropy for _, surprisal, entropy, _ in rows]
    deviation = math.sqrt(math.fsum(gap**2 for gap in gaps)) / len(gaps)
    assert 0.001 < deviation < 0.03
    assert abs(math.fsum(gaps) / len(gaps)) < 4 * deviation


def test_a_story_knows_nothing_of_the_one_before(known, tokens, scores):
    first, second, *_ = make_stories.split_stories(tokens)
    assert first[-3:] == ["today", ".", grammar.EOS]
    border = reader_after(known, first).distribution
    assert border == pytest.approx(next_words.NextWords(known).distribution)
    alone = list(truth.true_scores(known, second))
    both = scores[len(first) : len(first) + len(second)]
    assert [row[1] for row in both] == pytest.approx([row[1] for row in alone], abs=1e-12)
    assert [row[2] for row in both] == pytest.approx([row[2] for row in alone], abs=1e-12)
    assert scores[len(first) - 1][3] == pytest.approx(0 - scores[0][2])  # nothing could have ended otherwise


# ---- the file ----


def shipped():
    lines = (FOLDER / "test.truth.tsv").read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if line.startswith("# ")]
    columns, *rows = [line.split("\t") for line in lines[len(head) :]]
    return head, columns, rows


def test_the_shipped_file_is_written_again(known, tokens):
    made = truth.truth_table(known, tokens, "test.txt", make_stories.SEED)
    same = made == (FOLDER / "test.truth.tsv").read_text(encoding="utf-8")
    assert same, "test.truth.tsv is not what truth.py makes of test.txt"


def test_the_shipped_file_has_a_row_for_every_token(tokens, scores):
    head, columns, rows = shipped()
    assert "# base: 2" in head and any(line.startswith("# first_word: scored") for line in head)
    assert columns == ["sentence", "position", "word", "surprisal", "entropy", "entropy_reduction"]
    assert [row[2] for row in rows] == ["<eos>" if token == grammar.EOS else token for token in tokens]
    lines = (FOLDER / "test.txt").read_text(encoding="utf-8").splitlines()
    places = [(number, position) for number, line in enumerate(lines, 1)
              for position in range(1, len(line.split()) + 2)]
    assert [(int(row[0]), int(row[1])) for row in rows] == places
    assert [float(row[3]) for row in rows] == pytest.approx([row[1] for row in scores], abs=6e-10)
    assert [float(row[4]) for row in rows] == pytest.approx([row[2] for row in scores], abs=6e-10)
    assert rows[-1][5] == "NA" and all(row[5] != "NA" for row in rows[:-1])
    assert not any(cell.startswith("-0.000000000") for row in rows for cell in row)


def test_no_machine_rounds_a_number_of_the_file_differently(scores):
    """Logarithms differ by about 1e-15; no number is so near to a rounding border."""
    for number in {number for row in scores for number in row[1:] if number is not None}:
        scaled = abs(number) * 10**truth.DIGITS
        assert abs(scaled % 1 - 0.5) > 1e-3, number  # 1e-12 of the number


@pytest.mark.parametrize("count", [0, 1])
def test_the_shortest_texts_have_a_table(count):
    table = truth.truth_table(grammar_of(TINY), ["was"] * count, "tiny", 1).splitlines()
    assert len([line for line in table if not line.startswith("#")]) == 1 + count
    assert count == 0 or table[-1] == "1\t1\twas\t0.415037499\t0.811278124\tNA"
