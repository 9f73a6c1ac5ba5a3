"""The shipped stories: drawn from their grammar, scored exactly, and consistent."""

import json
import math
from collections import Counter

import pytest
from stories_corpus import FOLDER, grammar, make_stories


@pytest.fixture(scope="module")
def stories_grammar():
    return grammar.Grammar.read(FOLDER / "stories.grammar")


@pytest.fixture(scope="module")
def texts():
    return {name: (FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in ("train", "valid", "test")}


@pytest.fixture(scope="module")
def stories(texts):
    """Every story as its list of lines; the last one ends in `today .`."""
    found, lines = [], []
    for line in "".join(texts.values()).splitlines():
        lines.append(line)
        if line.endswith("today ."):
            found.append(lines)
            lines = []
    assert not lines
    return found


def words(story):
    return " ".join(story).split()


def grammar_of(text):
    return grammar.Grammar(grammar.parse(text))


# ---- the files ----


@pytest.mark.slow
def test_the_generator_writes_the_shipped_files_byte_for_byte(tmp_path, capsys):
    assert make_stories.main(["--output", str(tmp_path / "new")]) == 0
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["corpus.json", "test.truth.tsv", "test.txt", "train.txt", "valid.txt"]
    for name in written:
        same = (tmp_path / "new" / name).read_bytes() == (FOLDER / name).read_bytes()
        assert same, f"{name} is not what the generator writes"  # a diff of 600 kB would take minutes
    assert "best possible perplexity" in capsys.readouterr().out


def test_another_seed_gives_other_stories(stories_grammar):
    first, again, other = (make_stories.draw_split(stories_grammar, 500, seed) for seed in (3, 3, 4))
    assert first == again != other


def test_sizes_and_vocabulary(texts):
    facts = json.loads((FOLDER / "corpus.json").read_text(encoding="utf-8"))
    tokens = {name: text.replace("\n", " <eos> ").split() for name, text in texts.items()}
    for name, target in (("train", 100_000), ("valid", 10_000), ("test", 10_000)):
        assert target <= len(tokens[name]) == facts["tokens"][name] < target + 500
        assert facts["best_possible"][name]["targets"] == len(tokens[name])
    seen = Counter(tokens["train"])
    assert facts["vocabulary"] == len(seen) and 250 <= len(seen) <= 450
    assert min(seen.values()) >= 10
    assert {*tokens["valid"], *tokens["test"]} <= set(seen)


def test_the_text_is_in_ptb_format(texts):
    for text in texts.values():
        assert text.endswith(" .\n") and text == text.lower() and text.isascii()
        assert "<" not in text and "\r" not in text
        assert all(line == " ".join(line.split()) and line for line in text.splitlines())


def test_text_and_tokens_are_inverse(texts):
    assert make_stories.to_text(make_stories.from_text(texts["valid"])) == texts["valid"]


def test_a_rare_or_unknown_word_stops_the_generator():
    common = [f"word{number}" for number in range(300)] * 10
    make_stories.check({"train": common, "valid": ["word1"], "test": ["word2"]})
    for train, valid in ((["new"] * 9, []), ([], ["new"])):
        with pytest.raises(AssertionError, match="new"):
            make_stories.check({"train": common + train, "valid": valid, "test": []})


# ---- the probability ----


def test_scores_equal_what_the_sampler_recorded(stories_grammar):
    for tokens, recorded in make_stories.draw_split(stories_grammar, 200 * 160, seed=7):
        score = stories_grammar.score(tokens)
        assert score.log_prob == pytest.approx(recorded, abs=1e-9)
        assert score.derivations == 1


def test_corpus_json_agrees_with_the_sampler(stories_grammar, texts):
    facts = json.loads((FOLDER / "corpus.json").read_text(encoding="utf-8"))
    for index, (name, size) in enumerate(make_stories.SIZES.items()):
        drawn = make_stories.draw_split(stories_grammar, size, 3 * facts["seed"] + index)
        same = "".join(make_stories.to_text(tokens) for tokens, _ in drawn) == texts[name]
        assert same, f"{name} is not what the sampler draws"
        nats = sum(log_prob for _, log_prob in drawn)
        best = facts["best_possible"][name]
        assert best["log_prob"] == pytest.approx(nats, abs=1e-6)
        assert math.log(best["perplexity"]) * best["targets"] == pytest.approx(-nats, rel=1e-6)


def test_what_is_no_story_has_probability_zero(stories_grammar):
    (tokens, _), *_ = make_stories.draw_split(stories_grammar, 1, seed=5)
    hero = {"he": "she", "she": "he", "they": "he"}
    wrong = [
        [],
        tokens[:-1],
        tokens[1:],
        tokens + tokens,
        tokens[::-1],
        [hero.get(token, token) for token in tokens],
        ["unheard-of", *tokens[1:]],
    ]
    for story in wrong:
        assert story != tokens
        assert stories_grammar.score(story) == (-math.inf, 0)
    assert make_stories.best_possible(stories_grammar, tokens)["targets"] == len(tokens)


def test_every_choice_is_a_probability_distribution(stories_grammar):
    for name, rule in stories_grammar.rules.items():
        assert math.fsum(rule.weights) == pytest.approx(1, abs=1e-12), name
        assert len(rule.weights) == len(rule.choices) and min(rule.weights) > 0, name
        assert len(rule.choices) == len({repr(choice) for choice in rule.choices}), f"{name} repeats itself"


TINY = """
# who remembers whom
STORY
    [WHO] once there {was} NUMBER . / END
WHO: was | he
    3* was | he
    were | they
NUMBER = one two
END
    {he} slept . /
    {he} slept . / {he} slept . /
"""


def test_a_tiny_grammar_by_hand():
    tiny = grammar_of(TINY)
    story = "once there was two . / he slept . /".split()  # 3/4 (was) x 1/2 (two) x 1/2 (one nap)
    assert math.exp(tiny.score(story).log_prob) == pytest.approx(3 / 16)
    plural = "once there were one . / they slept . / they slept . /".split()
    assert math.exp(tiny.score(plural).log_prob) == pytest.approx(1 / 16)
    assert tiny.score("once there were one . / he slept . /".split()).derivations == 0
    total = 0
    for was, he in (("was", "he"), ("were", "they")):
        for number in ("one", "two"):
            for naps in (1, 2):
                text = f"once there {was} {number} . / " + f"{he} slept . / " * naps
                total += math.exp(tiny.score(text.split()).log_prob)
    assert total == pytest.approx(1)


def test_all_derivations_of_an_ambiguous_text_count():
    ambiguous = grammar_of("STORY\n    A B /\nA\n    x\n    x y\nB\n    y z\n    3* z\n")
    score = ambiguous.score(["x", "y", "z", "/"])  # x + y z: 1/2 x 1/4; x y + z: 1/2 x 3/4
    assert math.exp(score.log_prob) == pytest.approx(1 / 8 + 3 / 8)
    assert score.derivations == 2


def test_drawing_follows_the_numbers_it_is_given():
    tiny = grammar_of(TINY)  # the order of choices: the story, who, how many, the end
    tokens, log_prob = tiny.draw(iter([0.0, 0.76, 0.5, 0.49]).__next__)
    assert tokens == "once there were two . / they slept . /".split()
    assert log_prob == pytest.approx(math.log(1 / 4 * 1 / 2 * 1 / 2))


@pytest.mark.parametrize(
    "text, message",
    [
        ("STORY\n    END\n", "STORY mentions END"),
        ("STORY\n    {he}\n", "STORY mentions {he}"),
        ("STORY\n    a\nSTORY\n    b\n", "line 3: the rule STORY is defined twice"),
        ("WHO: he | him\n    he\n", "line 2: a row must fill the columns"),
    ],
)
def test_mistakes_in_a_grammar_are_named(text, message):
    with pytest.raises(ValueError, match=message):
        grammar.parse(text)


# ---- the stories themselves ----

HE, SHE, THEY = {"he", "him", "his"}, {"she", "her"}, {"they", "them", "their", "we", "our", "were"}
HEROES = dict.fromkeys(("otto", "felix", "hugo"), HE) | dict.fromkeys(("marina", "hazel", "clara"), SHE)
PAIRS = ("kim and kay", "pip and nell", "max and ida")
FACTS = [  # of each of these sets a story knows exactly one word, however often it says it
    {"otter", "otters", "fox", "foxes", "mouse", "mice"},
    {"lighthouse", "cabin", "bakery"},
    {"pearl", "flute", "mirror"},
    {"seal", "owl", "cat"},
]


def test_articles_suit_the_next_word(stories):
    for story in stories:
        for article, word in zip(words(story), words(story)[1:], strict=False):
            if article in ("a", "an"):
                assert (article == "an") == (word[0] in "aeiou"), f"{article} {word}"


def test_pronouns_and_verbs_agree_with_the_hero(stories):
    for story in stories:
        said = set(words(story))
        (mine,) = [HEROES[name] for name in HEROES if name in said] + [
            THEY for pair in PAIRS if f" {pair} " in " ".join(story)
        ]
        others = (HE | SHE | THEY) - mine
        assert mine & said and not others & said, story
        assert not said & ({"my", "was", "lives"} if mine is THEY else {"our", "were"}), story


def test_what_was_said_first_holds_until_the_end(stories):
    repeated = Counter()
    for story in stories:
        for number, fact in enumerate(FACTS):
            assert len(fact & set(words(story))) == 1, story
            repeated[number] += sum(word in fact for word in words(story)) > 1
    assert all(count > 0.4 * len(stories) for count in repeated.values()), repeated  # it is said again


def test_a_promise_is_kept(stories):
    kept = 0
    for story in stories:
        text = words(story)
        days = [text[place + 1] for place, word in enumerate(text) if word == "before"]
        assert len(days) <= 2 and len(set(days)) <= 1, story
        assert not days or "promised" in text[: text.index("before")], story
        assert not ("at last" in " ".join(story) and days), story
        kept += len(days) == 2
    assert kept > 20


def test_a_story_ends_once(stories):
    for story in stories:
        assert words(story).count("today") == 1
        assert story[0].split()[0] in ("once", "long", "in")
