"""Exported language models in sherpa-onnx itself, without a speech model.

    pip install sherpa-onnx 'numpy-rnnlm[onnx]'
    python benchmarks/exchange_sherpa.py MODEL

sherpa-onnx reads a language model only beside a transducer.  The transducer here hears
nothing: whatever the sound, it gives the log-probabilities of a table.  Each of its
frames offers two words, so the language model alone decides what is recognised.  Its
tokens are our words in reverse order after a blank, so the files translate the ids.

Streaming: sherpa-onnx reports the language model's ln p of every word, compared with
ours.  Whole texts: it only reports the best text.  So the table prefers another text
by a margin that the language model overcomes, or does not, at a scale within 0.01 % of
the one that our own scores give.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from exchange_onnx import missing

from rnnlm import load
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.onnx import export

FRAMES, MARGIN, NEAR = 4, 8.0, 1e-4  # words a text, nats by which the sound prefers one, how near to a tie
NOTHING = -30.0  # ln p of words that a frame does not offer


def transducer(folder, table):
    """Write encoder, decoder and joiner: every frame t of any sound has table[t]."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def value(name, shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    def write(name, nodes, inputs, outputs, constants=(), **properties):
        graph = helper.make_graph(nodes, name, inputs, outputs,
                                  [numpy_helper.from_array(array, key) for key, array in constants])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)
        helper.set_model_props(made, {key: str(given) for key, given in properties.items()})
        onnx.save(made, folder / f"{name}.onnx")

    T, V = table.shape
    shared = [("table", table[np.newaxis]), ("one", np.ones(1, np.int64)), ("count", np.array([T], np.int64))]
    node = helper.make_node
    write("encoder", [node("Identity", ["table"], ["encoder_out"]), node("Mul", ["one", "count"], ["lens"])],
          [value("x", ["N", "T", 80]), value("x_lens", ["N"], TensorProto.INT64)],
          [value("encoder_out", [1, T, V]), value("lens", [1], TensorProto.INT64)], shared, model_type="zipformer2")
    state = [value(name, [1, "N", 1]) for name in ("h0", "c0")]
    after = [value(f"next_{name}", [1, "N", 1]) for name in ("h0", "c0")]
    write("encoder-streaming",
          [node("Identity", ["table"], ["encoder_out"]), node("Identity", ["h0"], ["next_h0"]),
           node("Identity", ["c0"], ["next_c0"])], [value("x", ["N", "T", 80]), *state],
          [value("encoder_out", [1, T, V]), *after], shared, model_type="lstm", num_encoder_layers=1, T=16,
          decode_chunk_len=16, rnn_hidden_size=1, d_model=1)
    write("decoder", [node("Cast", ["y"], ["decoder_out"], to=TensorProto.FLOAT)],
          [value("y", ["N", 1], TensorProto.INT64)], [value("decoder_out", ["N", 1])], vocab_size=V, context_size=1)
    write("joiner", [node("Identity", ["encoder_out"], ["logit"])],
          [value("encoder_out", ["N", V]), value("decoder_out", ["N", 1])], [value("logit", ["N", V])], joiner_dim=V)


def recognizer(kind, folder, encoder, lm, scale, **options):
    return kind.from_transducer(
        tokens=str(folder / "tokens.txt"), encoder=str(folder / encoder), decoder=str(folder / "decoder.onnx"),
        joiner=str(folder / "joiner.onnx"), num_threads=1, decoding_method="modified_beam_search",
        max_active_paths=2**FRAMES, lm=str(folder / lm), lm_scale=scale, **options)


def tokens_of(vocabulary):
    """A list of tokens in another order than ours."""
    return ["<blk>", *reversed(vocabulary.words)]


def two_texts(vocabulary, rng):
    """Two texts (FRAMES,) of ids of tokens that share no word."""
    ids = [i for i, word in enumerate(tokens_of(vocabulary)) if word.isalpha()]
    return rng.choice(ids[-2000:], (2, FRAMES), replace=False)


def table_of(texts, vocabulary, margin):
    """(FRAMES, V + 1): two words are offered; the first text's by a margin more."""
    table = np.full((FRAMES, len(vocabulary) + 1), NOTHING, np.float32)
    for text, bonus in zip(texts, (margin / FRAMES, 0), strict=True):
        table[range(FRAMES), text] = bonus
    return table


def log_probs_of(loaded, text):
    """Our ln p of each token of a sentence and of its end."""
    eos = loaded.vocabulary.eos_id
    ids = np.array([[eos, *loaded.vocabulary.encode(words_of(loaded.vocabulary, text)), eos]])
    with loaded.model.fresh_state():
        return loaded.model.log_probs(ids[:, :-1], ids[:, 1:])[0]


def words_of(vocabulary, text):
    """The words of ids of tokens."""
    tokens = tokens_of(vocabulary)
    return [tokens[i] for i in text]


def streamed(sherpa_onnx, folder, loaded, text):
    """sherpa-onnx's ln p of each word of a text, and ours."""
    transducer(folder, table_of([text, text], loaded.vocabulary, 0.0))
    made = recognizer(sherpa_onnx.OnlineRecognizer, folder, "encoder-streaming.onnx", "streaming.onnx", 0.5)
    stream = made.create_stream()
    stream.accept_waveform(16000, np.zeros(16 * 160 + 400, np.float32))
    stream.input_finished()
    made.decode_stream(stream)
    return np.array(made.lm_probs(stream)), log_probs_of(loaded, text)[:FRAMES]


def recognised(sherpa_onnx, folder, scale):
    """The words of the best text, as sherpa-onnx's tokens."""
    made = recognizer(sherpa_onnx.OfflineRecognizer, folder, "encoder.onnx", "offline.onnx", scale)
    stream = made.create_stream()
    stream.accept_waveform(16000, np.zeros(16000, np.float32))
    made.decode_stream(stream)
    return list(stream.result.tokens)


def tipping(sherpa_onnx, folder, loaded, texts):
    """Whether sherpa-onnx changes its mind at the scale that our scores give.

    None where the language model has nothing to change.  With a scale s the score of a
    text is sound + s ln p.  From 0 on, the text that the sound prefers wins, up to the
    least s at which the score of another one is as high.
    """
    mixed = mixtures(texts)
    transducer(folder, table_of(texts, loaded.vocabulary, MARGIN))
    sound = np.array([MARGIN / FRAMES * sum(word in texts[0] for word in text) for text in mixed])
    ln_p = np.array([log_probs_of(loaded, text).sum() for text in mixed])
    first = int(sound.argmax())
    better = np.flatnonzero(ln_p > ln_p[first])
    if not better.size:
        return None
    scales = (sound[first] - sound[better]) / (ln_p[better] - ln_p[first])
    second, scale = better[scales.argmin()], scales.min()
    expected = [words_of(loaded.vocabulary, mixed[which]) for which in (first, second)]
    return [recognised(sherpa_onnx, folder, scale * factor) for factor in (1 - NEAR, 1 + NEAR)] == expected


def mixtures(texts):
    """Every text that takes each word from one of the two."""
    return [[int(texts[(which >> t) & 1][t]) for t in range(FRAMES)] for which in range(2**FRAMES)]


def main():
    """Run it, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", metavar="MODEL", help="a model file or run folder")
    parser.add_argument("--texts", type=int, default=10, help="how many pairs of texts (default: 10)")
    arguments = parser.parse_args()
    if missing("sherpa_onnx", "onnx"):
        return 1
    import sherpa_onnx

    loaded, rng = load(arguments.model), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens = tokens_of(loaded.vocabulary)
        for streaming in (False, True):
            name = "streaming.onnx" if streaming else "offline.onnx"
            export(Exported(loaded.model, loaded.vocabulary), folder / name, streaming, tokens=tokens)
        lines = (f"{word} {i}" for i, word in enumerate(tokens))
        (folder / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        pairs = [two_texts(loaded.vocabulary, rng) for _ in range(arguments.texts)]
        found = [streamed(sherpa_onnx, folder, loaded, texts[0]) for texts in pairs]
        tipped = [tipping(sherpa_onnx, folder, loaded, texts) for texts in pairs]
    print(json.dumps({
        "sherpa_onnx": sherpa_onnx.__version__, "streamed words": sum(len(theirs) for theirs, _ in found),
        "largest difference": max(float(np.abs(theirs - ours).max()) for theirs, ours in found),
        "texts that tip": sum(one is not None for one in tipped), "as we do": sum(one is True for one in tipped)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
