"""Judging an answer: is it right, and if not, which known mistake gives its numbers?"""

import numpy as np

from rnnlm.course.calling import Unreadable, call, read
from rnnlm.course.compare import difference, same
from rnnlm.course.exercise import CHAPTERS
from rnnlm.course.verdict import Verdict

SEED = 35


def judge(exercise, answer):
    """The Verdict on the function ``answer``.

    It is right on every set of inputs, or the verdict says what is wrong with the first
    one on which it fails.
    """
    cases = list(exercise.cases(np.random.default_rng(SEED)))
    for number, case in enumerate(cases):
        try:
            with np.errstate(all="ignore"):  # overflow on either side: what becomes of the numbers counts
                text = complaint(exercise, case, answer)
        except Unreadable as error:
            text = str(error)
        if text:
            return Verdict(False, "\n".join([*context(cases, number), text, reading(exercise)]))
    return Verdict(True, f"Right: {exercise.signature} gives what the package gives, "
                         f"on {len(cases)} sets of inputs.")


def context(cases, number):
    """What precedes a complaint: on which inputs, if the answer was right on others."""
    if cases[number].about:
        return [f"With {cases[number].about}:"]
    sizes = ", ".join(f"{name} = {size}" for name, size in cases[number].sizes.items())
    return [f"Right at first, but wrong with other inputs ({sizes}):"] if number else []


def reading(exercise):
    """Where to read on."""
    return f"Read chapter {exercise.chapter}, {CHAPTERS[exercise.chapter]}."


def complaint(exercise, case, answer):
    """What is wrong with the answer on these inputs, or None."""
    returned, changed = call(exercise, case, answer)
    telling = next((exercise.changed[name] for name in changed if name in exercise.changed), None)
    if telling:
        return f"{', '.join(changed)} changed during the call: {telling}"
    got = read(exercise, returned)
    expected = results(exercise, case, exercise.reference)
    wrong = [k for k, (ours, right) in enumerate(zip(got, expected, strict=True)) if not same(ours, right)]
    lines = diagnosed(exercise, case, got, expected, wrong)
    if changed:
        arguments = f"argument{'s' * (len(changed) > 1)} {', '.join(changed)}"
        lines += [f"{'Also, your' if wrong else 'The numbers are right, but your'} function changed its {arguments}: "
                  "work on a copy, with a = a + c in place of a += c."]
    return "\n".join(lines)


def results(exercise, case, function):
    """What a function of ours gives on these inputs, as the reader's is read."""
    return read(exercise, function(*case.copies()))


def diagnosed(exercise, case, got, expected, wrong):
    """One line for each mistake found, with the results that it spoils.

    wrong: the indices of the wrong results.
    """
    if case.not_finite and any(not np.isfinite(array).all() for array in got):
        return [case.not_finite]
    found = dict(known(exercise, case, got, expected, wrong))
    others = exchanged(got, expected, wrong)
    if others and found.keys() != others.keys():
        pairs = ", ".join(f"{exercise.results[j]} is in place of {exercise.results[k]}" for k, j in others.items())
        return [f"the results are in another order: {pairs}; return {', '.join(exercise.results)}."]
    lines = {}
    for k in wrong:
        text = found.get(k) or seen(exercise, case, got[k]) or difference(got[k], expected[k], case.sizes)
        lines.setdefault(text, []).append(exercise.results[k])
    return [f"{', '.join(names)}: {text.rstrip('.')}." for text, names in lines.items()]


def exchanged(got, expected, wrong):
    """For each wrong result's index, that of the result it is.

    None unless the results are all right in another order.
    """
    others = {k: next((j for j in wrong if j != k and same(got[k], expected[j])), None) for k in wrong}
    return others if set(others.values()) == set(wrong) else None


def seen(exercise, case, result):
    """What one of the exercise's signs says of a result, or None."""
    return next((text for sign in exercise.signs if (text := sign(case, result))), None)


def known(exercise, case, got, expected, wrong):
    """Pairs (index of a wrong result, the known mistake that gives its very numbers).

    A mistake that gives all the results goes first, then those that explain the most.
    """
    candidates = []
    for mistake in exercise.mistakes:
        theirs = results(exercise, case, mistake.answer)
        agree = [same(ours, made) for ours, made in zip(got, theirs, strict=True)]
        explained = {k for k in wrong if agree[k] and not same(theirs[k], expected[k])}
        candidates.append((all(agree), len(explained), explained, mistake.says))
    candidates.sort(key=lambda candidate: candidate[:2], reverse=True)  # stable: the order of the table decides ties
    left = set(wrong)
    for _, _, explained, says in candidates:
        yield from ((k, says) for k in explained & left)
        left -= explained
