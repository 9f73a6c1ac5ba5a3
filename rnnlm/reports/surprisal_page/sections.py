"""What is above the text: the head, the hardest sentences, the unknown words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import counted, listed
from rnnlm.reports.surprisal_page.markup import escaped, shortened
from rnnlm.reports.surprisal_page.reading import are_line_ends, difference, ends_of_sentences

if TYPE_CHECKING:
    from rnnlm.reports.surprisal_page.reading import Reading

HARDEST = 10
SHORTEST = 5  # rows of a sentence that can be among the hardest: a rare word alone says little
MOST_UNKNOWN = 300
LONGEST_EXCERPT, LONGEST_WORD = 100, 60  # characters


def head(readings: list[Reading], facts: dict[str, str]) -> str:
    """A table: what the page shows, and a column for each model.

    facts : what is the same for all models, from label to text.
    """
    rows = [_row(label, [value], span=len(readings)) for label, value in facts.items()]
    first = readings[0].rows
    ends = int(are_line_ends(first).sum())
    length = f"{counted(len(ends_of_sentences(first)), 'sentence')}, {counted(len(first) - ends, 'word')}"
    rows.append(_row("Length", [length], span=len(readings)))
    columns = {
        "Model": [reading.name for reading in readings],
        "Kind": [_kind(reading) for reading in readings],
        "SHA-256": [reading.sha256 for reading in readings],
        "With": [reading.partners for reading in readings],
        "Unknown words": [_share(reading.unknown.sum(), len(first) - ends) for reading in readings],
        "Perplexity": [_perplexity(reading) for reading in readings],
        "Mean surprisal": [_bits_a_word(reading) for reading in readings],
    }
    rows += [_row(label, values) for label, values in columns.items() if any(values)]
    if len(readings) == 2:
        rows.append(_row("Mean difference", [_mean_difference(*readings)], span=2))
    return f"<table>{''.join(rows)}</table>"


def _row(label, values, span=1):
    cells = "".join(f'<td{f" colspan={span}" if span > 1 else ""}>{escaped(value)}</td>' for value in values)
    return f'<tr><th scope="row">{escaped(label)}</th>{cells}</tr>'


def _share(part, whole):
    return f"{part:,}" + (f" ({100 * part / whole:.1f} %)" if part and whole else "")


def _kind(reading):
    return ", ".join(filter(None, [reading.about, "" if reading.unit == "word" else f"reads {reading.unit}s"]))


def _perplexity(reading):
    return f"{reading.perplexity:,.5g}" + ("" if reading.unit == "word" else " per word")


def _bits_a_word(reading):
    left_out = len(reading.rows) - reading.scored.sum()
    return f"{reading.mean_bits:.4f} bits{_without(left_out)}"


def _without(count):
    return f", without {counted(count, 'row')} that had no probability" if count else ""


def _mean_difference(first, other):
    """A line on the words that both models score."""
    bits = difference(first, other)
    both = ~np.isnan(bits)
    if not both.any():
        return "no word is scored by both"
    mean = bits[both].mean()
    better, worse = (other, first) if mean > 0 else (first, other)
    spelling = ["the spelling of unknown words"] * bool((better.unknown & ~worse.unknown & both).any())
    lost = spelling + [name for name in better.lost if name not in worse.lost]
    but = f", but without {listed(lost)}" if lost else ""
    left_out = len(bits) - both.sum()
    return f"{mean:+.4f} bits (first minus second){_without(left_out)}: {better.name} expects the text better{but}"


def hardest(rows: np.ndarray, bits: np.ndarray, signed: bool) -> str:
    """Links to the sentences with the highest mean of these bits, after a line on them.

    signed : the bits are differences; then the largest in either direction.
    """
    ends = ends_of_sentences(rows)
    starts = np.append(0, ends[:-1])
    scored = np.isfinite(bits)
    counts = np.append(0, np.cumsum(scored))[ends] - np.append(0, np.cumsum(scored))[starts]
    sums = np.append(0.0, np.cumsum(np.where(scored, bits, 0)))
    means = (sums[ends] - sums[starts]) / np.maximum(counts, 1)
    shortest = min(SHORTEST, counts.max())
    long_enough = counts >= shortest
    order = np.argsort(np.where(long_enough, -abs(means) if signed else -means, np.inf), kind="stable")
    items = [_hard_sentence(rows[starts[i] : ends[i]], means[i], signed)
             for i in order[:HARDEST].tolist() if long_enough[i]]
    return f"<p>Mean bits per word. {_left_out(~long_enough, shortest)}</p><ol>{''.join(items)}</ol>"


def _left_out(short, shortest):
    """Which sentences cannot be among the hardest, and how many there are."""
    if not short.any():
        return "The sentence end counts as a word."
    return (f"Not listed: {counted(int(short.sum()), 'sentence')} with fewer than {shortest} words that have a "
            "probability, the sentence end included.")


def _hard_sentence(rows, mean, signed):
    words = " ".join(rows["word"][:LONGEST_EXCERPT][~are_line_ends(rows)[:LONGEST_EXCERPT]].tolist())
    number = int(rows["sentence"][0])
    return (f'<li><a href="#s{number}">Sentence {number}</a> <b>{mean:{"+" if signed else ""}.2f}</b> '
            f"<bdi>{escaped(shortened(words, LONGEST_EXCERPT))}</bdi></li>")


def unknown_words(rows: np.ndarray, unknown: np.ndarray) -> str:
    """A list of unknown words, the most frequent first, linked to their first place."""
    where = np.flatnonzero(unknown)
    words = rows["word"][where].tolist()
    counts, first = Counter(words), dict(zip(reversed(words), rows["sentence"][where][::-1].tolist(), strict=True))
    items = [f'<li><a href="#s{first[word]}"><bdi>{escaped(shortened(word, LONGEST_WORD))}</bdi></a> {count:,}</li>'
             for word, count in counts.most_common(MOST_UNKNOWN)]
    if len(counts) > MOST_UNKNOWN:
        items.append(f"<li>and {len(counts) - MOST_UNKNOWN:,} more</li>")
    return f"<ul class=words>{''.join(items)}</ul>" if items else "<p>None.</p>"
