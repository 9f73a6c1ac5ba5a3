"""The page in headless Chromium, where there is one: what a reader sees and can do."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from page_rows import rows_of

from rnnlm.reports.surprisal_page import Reading, surprisal_page

pytestmark = pytest.mark.slow

LINES = [["the", "cat"], ["<img", "src=x", "onerror=window.hit=1>", "</script><script>window.hit=1</script>",
                            "\u202eb"],
         *[[f"word{i}"] * 20 for i in range(60)], ["the", "needle"]]


@pytest.fixture(scope="module")
def browser():
    sys.path.append(str(REPOSITORY / "benchmarks"))
    try:
        from chromium import Chromium, find_chromium
    finally:
        sys.path.pop()
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium is installed")
    with Chromium(path) as browser:
        yield browser


def reading(name, seed):
    rows = rows_of(LINES, np.round(np.random.default_rng(seed).uniform(0, 12, sum(map(len, LINES)) + len(LINES)), 2),
                   top=("<b>dog", "mat"))
    rows["surprisal"][:2], rows["known"][1] = (3 + seed, 15), False
    rows["rank"], rows["entropy"], rows["p1"], rows["p2"] = 1234, 2.5, 0.25, 0.125
    return Reading(name, "0" * 64, rows, 10_000)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Paths of a page of one model and of a page of two."""
    folder, models = tmp_path_factory.mktemp("pages"), [reading("one", 0), reading("two", 1)]
    for name, count in (("one", 1), ("two", 2)):
        (folder / f"{name}.html").write_text("".join(surprisal_page(models[:count], "</title>")), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in ("one", "two")}


@pytest.fixture
def one(browser, pages):
    browser.prefer("light")
    browser.events.clear()
    browser.open(pages["one"])
    return browser


def word_with_focus(browser):
    return browser.run("document.activeElement.textContent")


def card(browser):
    return browser.run("document.getElementById('card').hidden ? '' : document.getElementById('card').innerText")


def test_nothing_is_loaded_and_nothing_is_complained_of(one, pages):
    one.point("#s1 span")
    assert one.requested() == [pages["one"].as_uri()]
    assert one.complaints() == []


def test_the_text_of_the_page_is_the_words_and_none_of_them_runs(one):
    words = one.run("[...document.querySelectorAll('main span')].map((word) => word.textContent)")
    assert words == [word.replace("\u202e", "\\u202e") for line in LINES for word in [*line, "↵"]]
    assert one.run("document.title + typeof window.hit + document.querySelectorAll('img, script').length") == (
        "</title>undefined2")


def test_the_policy_stops_what_would_get_in_all_the_same(one):
    one.run("""(() => {
      const script = document.createElement("script"), image = new Image();
      script.textContent = "window.hit = 1";
      image.src = "http://127.0.0.1:9/image.png";
      document.body.append(script, image);
      document.body.setAttribute("style", "opacity: 0");
      document.body.insertAdjacentHTML("beforeend", "<p id=trap onclick='window.hit = 1'>");
      document.getElementById("trap").click();
      return new Promise((done) => image.onerror = () => done(0));
    })()""")
    assert one.run("typeof window.hit + getComputedStyle(document.body).opacity") == "undefined1"
    told = json.dumps(one.complaints())
    assert told.count("Content Security Policy") >= 4 and "127.0.0.1" in told


def test_the_card_under_the_pointer_has_what_the_model_said(one):
    one.point("#s1 span")
    assert card(one).split("\n") == [
        "the", "probability\t12.5 %", "surprisal\t3.00 bits", "rank\t1,234 of 10,000", "entropy before\t2.50 bits", "",
        "expected", "", "<b>dog\t25 %", "mat\t12.5 %"]
    one.point("#s1 .unknown")
    assert card(one).startswith("cat\n\nunknown to the model\n\nprobability\t1 in 32,800\n")
    one.point("h1")
    one.run("new Promise((done) => setTimeout(done, 400))")
    assert card(one) == ""


@pytest.mark.parametrize("height", [900, 420, 330])
def test_the_card_is_in_the_window_and_leaves_its_word_free(one, height):
    one.page("Emulation.setDeviceMetricsOverride", width=800, height=height, deviceScaleFactor=1, mobile=False)
    for column in (1, 8, 14, 20):
        one.press("Escape")  # a card that is there may be over the word
        one.point(f"#s9 span:nth-of-type({column})")
        assert card(one).startswith("word6\n")
        assert one.run("""(() => {
          const c = document.getElementById("card").getBoundingClientRect();
          const w = document.querySelector(".on").getClientRects()[0];
          const apart = c.bottom <= w.top || c.top >= w.bottom || c.right <= w.left || c.left >= w.right;
          return apart && c.left >= 0 && c.right <= innerWidth && c.top >= 0 && c.bottom <= innerHeight;
        })()"""), column
    one.page("Emulation.clearDeviceMetricsOverride")


def test_a_line_that_is_wrapped_begins_under_the_text_and_not_under_its_number(one):
    one.page("Emulation.setDeviceMetricsOverride", width=500, height=800, deviceScaleFactor=1, mobile=False)
    boxes = one.run("""[...document.querySelectorAll("#s9 span:not(.end)")].map((word) => word.getClientRects()[0])
                    .map((box) => [box.left, box.top])""")
    one.page("Emulation.clearDeviceMetricsOverride")
    firsts = {top: min(x for x, y in boxes if y == top) for _, top in boxes}
    assert len(firsts) > 2
    assert max(firsts.values()) - min(firsts.values()) < 1, firsts  # pixels


def test_the_card_of_two_models_has_both(browser, pages):
    browser.open(pages["two"])
    browser.point("#s1 span")
    text = card(browser)
    assert "difference -1.00 bits" in text
    assert text.count("\nsurprisal\t3.00 bits") == text.count("\nsurprisal\t4.00 bits") == 1
    assert text.index("one") < text.index("3.00 bits") < text.index("two") < text.index("4.00 bits")


def test_keys_walk_through_the_text(one):
    one.run("document.querySelector('.legend').scrollIntoView()")
    for _ in range(100):
        one.press("Tab")
        if one.run("document.activeElement.closest('main') !== null"):
            break
    assert word_with_focus(one) == "the" and card(one).startswith("the\n")
    for key, control, word in (
            ("ArrowRight", False, "cat"), ("ArrowRight", False, "↵"), ("ArrowRight", False, "<img"),
            ("ArrowLeft", False, "↵"), ("ArrowLeft", False, "cat"), ("ArrowDown", False, "<img"),
            ("End", False, "↵"), ("Home", False, "<img"), ("ArrowUp", False, "the"), ("ArrowUp", False, "the"),
            ("ArrowLeft", False, "the"), ("End", True, "↵"), ("ArrowRight", False, "↵"), ("Home", False, "the"),
            ("ArrowUp", False, "word59"), ("Home", True, "the")):
        one.press(key, control)
        assert word_with_focus(one) == word, key
    for _ in range(40):  # over the border of two parts
        one.press("ArrowDown")
    assert word_with_focus(one) == "word38"
    assert card(one).startswith("word38\n")
    assert one.run("(() => {const r = document.activeElement.getBoundingClientRect(); "
                   "return r.top > 0 && r.bottom < innerHeight})()")
    assert one.run("document.querySelectorAll('main [tabindex]').length") == 1
    assert one.run("document.getElementById('said').textContent").startswith("word38, probability, ")
    one.press("Escape")
    assert (card(one), word_with_focus(one)) == ("", "word38")


def test_links_jump_to_sentences_and_the_search_finds_words_that_are_not_drawn(one):
    one.run("document.querySelector('ol a').click()")
    assert one.run("(() => {const r = document.querySelector(':target').getBoundingClientRect(); "
                   "return r.top > 0 && r.bottom < innerHeight})()")
    one.run("scrollTo(0, 0)")
    assert one.run("window.find('needle')") is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tints_and_paper_follow_what_the_reader_prefers(one, scheme):
    one.prefer(scheme)
    shades = one.run("[...document.querySelectorAll('.scale span')].map((e) => getComputedStyle(e).backgroundColor)")
    lightness = [float(shade.removeprefix("oklab(").split()[0]) for shade in shades]
    steps = np.diff(lightness)
    np.testing.assert_allclose(steps, steps[0], atol=1e-3)
    assert (steps[0] < 0) == (scheme == "light")
    paper = one.run("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 25, 29)"}[scheme]


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_phone_shows_all_of_it_in_its_width(browser, pages, name):
    browser.prefer("light", width=360)
    browser.open(pages[name])
    assert browser.run("document.documentElement.scrollWidth") == 360
    browser.run("document.querySelector('#s9 span').click()")
    assert card(browser).startswith("word6\n")
    box = browser.run("(() => {const r = document.getElementById('card').getBoundingClientRect(), "
                      "w = document.activeElement.getBoundingClientRect(); "
                      "return [r.left, r.right, innerHeight - r.bottom, r.top - w.bottom]})()")
    assert box[:3] == [0, 360, 0]
    assert box[3] >= 0, "the card covers its word"
    browser.page("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("options", [["--compare"], ["--lines", "empty"]])
def test_the_benchmark_measures_a_page(browser, options, tmp_path):
    done = subprocess.run([sys.executable, REPOSITORY / "benchmarks/page_speed.py", "--words", "500", "--repeats", "1",
                           "--json", "--screenshot", tmp_path / "page.png", *options], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["first_paint"] > 0 and figures["loaded"] > 0 and figures["card"] > 0
    assert 0.02 < figures["megabytes"] < 1
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
