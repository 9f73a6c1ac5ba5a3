"""Checkpoints of at most 10 KB that ask for much: name, header and message of each.

"" for those that only ask for what training could be asked for: they are resumed, or
refused in one line.
"""

import json
from copy import deepcopy

LARGEST = 11_000  # bytes
MUCH = 10**9


def hostile_headers(good):
    """Yield (name, header, message).

    good: the header of a finished run of a model of 4 on a small corpus.
    """

    def asking(**options):
        return changed(run=good["run"] | {"options": good["run"]["options"] | options})

    def standing(**numbers):
        return changed(numbers=good["numbers"] | numbers)

    def changed(**values):
        return deepcopy(good) | values

    model, sums, batches = good["architecture"], good["numbers"]["sums"], good["numbers"]["batches"]
    for name, value in (("hidden_size", 7000), ("hidden_size", 10**6), ("wordvec_size", 10**6), ("layers", 500),
                        ("cell", "lstm"), ("tied", True), ("projection", True)):
        yield f"{name} {value}", asking(**{name: value}), f"contradicts itself: {name} is "
    yield "both sizes", asking(hidden_size=7000, wordvec_size=7000), "hidden_size is 4 in its model and 7000 in"
    yield "clusters", asking(softmax="adaptive", cutoffs=[3]), "contradicts itself: softmax is None in its model and"
    yield "many cutoffs", asking(softmax="adaptive", cutoffs=list(range(1, 100))), "cutoffs must be 1 to 20 rising"
    yield "cutoffs that fall", asking(cutoffs=[3, 2]), "cutoffs must be whole numbers of at least 1 with commas"
    yield "cutoffs of anything", asking(cutoffs=[[1], {}, "\x1b[2J"]), r"the one before, got '[1],{},\x1b[2J'"
    yield "a size", asking(hidden_size=MUCH), "hidden_size is 4 in its model and 1000000000 in"
    both = changed(run=asking(hidden_size=MUCH)["run"], architecture=model | {"hidden_size": MUCH})
    yield "a model that the file cannot hold", both, "rnn1/Wx must be float32 (4, 1000000000), found float32 (4, 4)"
    yield "a vocabulary", changed(architecture=model | {"vocab_size": MUCH}), "embedding/W must be float32 (1000000000"
    yield "a vocabulary without limit", asking(max_vocab=MUCH, min_count=1), ""
    yield "layers of a list", changed(architecture=model | {"layers": [1] * 100}), "layers must be a whole number"
    yield "streams", asking(batch_size=10**6), "batch_size must be at most 479 for a text of 960 tokens"
    yield "many streams", asking(batch_size=400), "cannot be right in 400 streams of 2"
    within = {"sums": sums | {"steps": 1, "targets": 400, "seconds": 1.0}, "batches": batches | {"position": 1}}
    yield "states", asking(batch_size=400) | {"numbers": good["numbers"] | within}, "it lacks state/rnn1/h"
    yield "a window", asking(time_size=MUCH, epochs=2), ""
    yield "a window beyond 64 bits", asking(time_size=10**38, epochs=2), ""
    yield "streams beyond 64 bits", asking(batch_size=10**38), "batch_size must be a whole number of at least 1"
    yield "numbers of 32 bits", asking(lr=1e39, weight_decay=1e300, input_gain=1e300, max_grad=1e-300, epochs=2), ""
    yield "threads", asking(threads=MUCH), ""
    yield "epochs", standing(epoch=MUCH), "records must be float64 (1000000000, 12), found float64 (1, 12)"
    yield "epochs beyond 64 bits", standing(epoch=1 << 100), "records must be float64 (12676506002282294"
    yield "steps", standing(iteration=(1 << 128) - 1, tokens=(1 << 128) - 1, optimizer={"steps": (1 << 128) - 1}), ""
    yield "an average", asking(average="exponential") | {"numbers": good["numbers"] | {"average": {"count": MUCH}}}, \
        "it lacks average/affine/W"
    yield "an offset", standing(batches=batches | {"position": MUCH}), "position 1000000000, start 0 cannot be right"
    yield "other slots", asking(optimizer="sgd"), "arrays that do not belong there: optimizer/m/affine/W"
    yield "noise", asking(noising=0.5), "numbers.batches must be an object of position, start, generator"
    for name in ("epochs", "threads", "warm_up", "seed", "max_tokens"):
        yield f"{name} of 400 digits", asking(**{name: 10**399}), "header is not JSON: it holds a number of 400 digits"
    yield "saved threads of 400 digits", changed(run=good["run"] | {"threads": 10**399}), "a number of 400 digits"
    yield "nested lists", asking(lr=json.loads("[" * 150 + "]" * 150)), "header is nested too deeply"
    yield "nested objects", changed(run=json.loads('{"options":' * 25 + '{}' + '}' * 25)), "header is nested too deeply"
    yield "a list", asking(lr=[0] * 100), "lr must be a number above 0, got [0, 0, 0"
    yield "no options", changed(run={}), "options must be a JSON object"
    yield "a NUL", asking(corpus="a\0b"), r"corpus must not hold the character NUL, got 'a\x00b'"
    yield "a NUL in a choice", asking(cell="rnn\0"), r"cell must not hold the character NUL, got 'rnn\x00'"
    yield "terminal escapes", asking(corpus="/\x1b[2J"), r"no corpus '/\x1b[2J'"
    yield "both spellings", asking(**{"hidden-size": 4}), "hidden_size and hidden-size are the same option"
