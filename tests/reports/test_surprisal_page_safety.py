"""What is in a page stays in its place, and nothing else gets in."""

import hashlib
import re
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_rows import HOSTILE, page_of, rows_of

from rnnlm.reports.surprisal_page.markup import visible


@pytest.mark.parametrize("compared", [False, True])
def test_strange_words_stay_text_wherever_they_are(compared):
    words = " ".join(HOSTILE)
    plain, strange = (page_of(
        *[rows_of([list(texts)] * 2, known=False, top=texts[:5], seed=seed) for seed in range(1 + compared)],
        title=" ".join(texts), names=(texts[0], " ".join(texts)), facts={texts[3]: " ".join(texts)})
        for texts in (["harmless"] * len(HOSTILE), HOSTILE))
    assert visible(words) == strange.all("title", "head")[0][1] == strange.all("h1")[0][1]
    assert strange.head()[HOSTILE[3]] == [visible(words)]
    assert [text for text, _ in strange.words()] == [*map(visible, HOSTILE), "↵"] * 2
    assert strange.data()["words"] == ["", *map(visible, HOSTILE[:5])]
    (data,) = re.findall(r'<script [^>]*type="?application/json"?[^>]*>(.*?)</script>', strange.html, re.S)
    assert not set("<>&") & set(data)
    listed = len(HOSTILE) - 1  # more words are in the list of unknown ones, each with three elements
    kinds = {name: [element[0] for element in page.elements] for name, page in (("p", plain), ("s", strange))}
    for tag in set(kinds["p"] + kinds["s"]):
        more = listed if tag in ("li", "a", "bdi") else 0
        assert kinds["s"].count(tag) == kinds["p"].count(tag) + more, tag
    names = {name for _, attrs, *_ in strange.elements for name in attrs}
    assert names == {name for _, attrs, *_ in plain.elements for name in attrs}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_words_come_back_as_they_went_in(words):
    page = page_of(rows_of([words], known=False, top=words), title=words[0], names=words[:1])
    assert [text for text, _ in page.words()] == [*map(visible, words), "↵"]
    assert page.all("title", "head")[0][1] == visible(words[0])
    data = page.data()
    told = [data["words"][i] for i in data["models"][0]["columns"]["expected"][: len(words)]]
    assert told == ["␣" * len(word) if visible(word).isspace() else visible(word) for word in words]


def test_nothing_that_moves_or_hides_what_is_around_it_is_in_a_page():
    page = page_of(rows_of([HOSTILE]), title="".join(HOSTILE), names=["".join(HOSTILE)])
    left = {char for char in page.html if not char.isprintable() and char != "\n"}
    assert left == set()
    for code in [*range(0x20), *range(0x7f, 0xa0), 0xad, 0x61c, 0x200b, 0x200e, 0x200f, *range(0x2028, 0x202f),
                 *range(0x2060, 0x2070), 0xfeff, 0xd800, 0xdfff, 0xe0001, 0xe0041]:
        shown = visible(f"a{chr(code)}b")
        assert shown.isascii() and shown.startswith("a\\") and f"{code:x}"[-2:] in shown + "tnr0a09d", hex(code)


def test_joiners_and_letters_of_all_scripts_are_shown_as_they_are():
    for text in ("שלום", "क्\u200dष", "👩\u200d🚀", "e\u0301", "日本語", "\u00a0", "naïve"):
        assert visible(text) == text


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else():
    page = page_of(rows_of([HOSTILE]))
    (policy,) = (attrs["content"] for attrs, _ in page.all("meta") if attrs.get("http-equiv"))
    ((_, style),) = page.all("style")
    (script,) = (text for attrs, text in page.all("script") if "type" not in attrs)
    digests = ["sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    assert policy.split("; ") == ["default-src 'none'", f"style-src '{digests[0]}'", f"script-src '{digests[1]}'",
                                  "base-uri 'none'", "form-action 'none'"]
    order = [attrs.get("http-equiv") or tag for tag, attrs, *_ in page.elements]
    assert order.index("Content-Security-Policy") < min(order.index("style"), order.index("script"))


@pytest.mark.parametrize("compared", [False, True])
def test_no_address_is_in_a_page_but_places_of_its_own(compared):
    rows = rows_of([["a", "b"]] * 3, known=[False, True, True] * 3)
    page = page_of(*[rows] * (1 + compared))
    assert not re.search(r"https?:|ftp:|url\(|@import|import\(|fetch\(|XMLHttp|WebSocket|eval\(|innerHTML", page.html)
    names = {attr for _, attrs, *_ in page.elements for attr in attrs}
    assert not names & {"src", "srcset", "action", "style", "data", "poster", "background", "ping", "xlink:href"}
    assert not [name for name in names if name.startswith("on")]
    targets = {attrs["href"] for attrs, _ in page.all("a")}
    assert targets == {"#text", "#s1", "#s2", "#s3"}
    assert targets <= {f"#{attrs['id']}" for _, attrs, *_ in page.elements if "id" in attrs}
