#!/usr/bin/env bash
# Finding: without shallow fusion, sherpa-onnx takes ln p of the blank for the score of a text.
#
# A good guess: lm_shallow_fusion=False applies the same language model file later, to whole texts; a file that does
#   not fit is refused, as sherpa-onnx refuses one whose metadata lack sos_id.
# What happens: with shallow fusion the first result of the file is read as ln p of every next token; without it, as
#   -ln p of the text.  Nothing is checked.  From a file of the first kind, the only one that icefall's export-onnx.py
#   writes, it then reads the first number: ln p of token 0, the blank, after the last token it was given.
#   The text after whose end the blank is least probable wins, however improbable the text is.
#   The last token is never given to the language model.
# Version: sherpa-onnx 2.0.1 (CPU).
# Output seen (a transducer that finds "a" and "b" equally likely; the language model gives ln p(a) = -0.1, ln p(b) = -4.1,
#   and the blank -2.4 after a and -30 after b; without shallow fusion the words that were rescored):
#   sherpa-onnx 2.0.1
#   ln p of every token, lm_shallow_fusion=True:  a a a a
#   ln p of every token, lm_shallow_fusion=False: a a b
#   -ln p of the text,   lm_shallow_fusion=False: a a a
# Who is hurt: whoever rescores with a published file: the words get worse the more the language model counts, and
#   nothing says why.
# What to do: leave lm_shallow_fusion at True, or give a file whose first result is -ln p of the tokens read, shape (1,).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 sherpa-onnx==2.0.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnx
import sherpa_onnx
from onnx import TensorProto, helper, numpy_helper

FRAMES, BLANK, A, B = 4, 0, 1, 2
NEXT = np.log(np.full((3, 3), 1e-9, np.float32))  # ln p of each token after each
NEXT[:, A], NEXT[:, B] = -0.1, -4.1
NEXT[A, BLANK], NEXT[B, BLANK] = -2.4, -30.0


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def write(name, nodes, inputs, outputs, constants=(), **properties):
    graph = helper.make_graph([helper.make_node(*node[:3], **node[3]) for node in nodes], name, inputs, outputs,
                              [numpy_helper.from_array(array, key) for key, array in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {key: str(given) for key, given in properties.items()})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{name}.onnx")


def states(prefix=""):
    return [value(f"{prefix}{name}", [1, "N", 1]) for name in ("h0", "c0")]


KEEP = [("Identity", ["h0"], ["next_h0"], {}), ("Identity", ["c0"], ["next_c0"], {})]
table = np.full((1, FRAMES, 3), -20, np.float32)
table[:, :, [A, B]] = 0
write("encoder", [("Identity", ["table"], ["encoder_out"], {}), *KEEP], [value("x", ["N", "T", 80]), *states()],
      [value("encoder_out", [1, FRAMES, 3]), *states("next_")], [("table", table)], model_type="lstm",
      num_encoder_layers=1, T=16, decode_chunk_len=16, rnn_hidden_size=1, d_model=1)
write("decoder", [("Cast", ["y"], ["decoder_out"], {"to": TensorProto.FLOAT})], [value("y", ["N", 1], TensorProto.INT64)],
      [value("decoder_out", ["N", 1])], vocab_size=3, context_size=1)
write("joiner", [("Identity", ["encoder_out"], ["logit"], {})],
      [value("encoder_out", ["N", 3]), value("decoder_out", ["N", 1])], [value("logit", ["N", 3])], joiner_dim=3)

language = {"model_type": "rnnlm", "sos_id": A, "num_layers": 1, "hidden_size": 1}
inputs = [value("x", ["N", "L"], TensorProto.INT64), *states()]
write("every_token",  # after the last token of x
      [("Gather", ["next", "x"], ["after"], {}), ("Gather", ["after", "last"], ["log_softmax"], {"axis": 1}), *KEEP],
      inputs, [value("log_softmax", ["N", 3]), *states("next_")],
      [("next", NEXT), ("last", np.array(-1, np.int64))], **language)
write("text",  # p(a) and p(b) are the same after any token
      [("Gather", ["cost", "x"], ["costs"], {}), ("ReduceSum", ["costs", "axis"], ["nll"], {"keepdims": 0}), *KEEP],
      inputs, [value("nll", ["N"]), *states("next_")],
      [("cost", -NEXT[A]), ("axis", np.array([1], np.int64))], **language)
with open("tokens.txt", "w") as file:
    file.write("<blk> 0\na 1\nb 2\n")


def recognised(lm, fusion):
    recognizer = sherpa_onnx.OnlineRecognizer.from_transducer(
        tokens="tokens.txt", encoder="encoder.onnx", decoder="decoder.onnx", joiner="joiner.onnx", num_threads=1,
        decoding_method="modified_beam_search", max_active_paths=16, lm=f"{lm}.onnx", lm_scale=1.0,
        lm_shallow_fusion=fusion)
    stream = recognizer.create_stream()
    stream.accept_waveform(16000, np.zeros(16 * 160 + 400, np.float32))
    stream.input_finished()
    recognizer.decode_stream(stream)
    words = "".join(recognizer.tokens(stream))
    # without shallow fusion the last word is not rescored, so it says nothing
    return " ".join(words if fusion else words[:-1])


print("sherpa-onnx", sherpa_onnx.__version__)
seen = [recognised("every_token", True), recognised("every_token", False), recognised("text", False)]
print("ln p of every token, lm_shallow_fusion=True: ", seen[0])
print("ln p of every token, lm_shallow_fusion=False:", seen[1])
print("-ln p of the text,   lm_shallow_fusion=False:", seen[2])
if seen[::2] != ["a a a a", "a a a"] or not seen[1].endswith("b"):
    sys.exit("changed")
PYTHON
