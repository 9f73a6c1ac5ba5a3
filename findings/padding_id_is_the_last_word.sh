#!/usr/bin/env bash
# Finding: sentencepiece's default padding id is -1, and ONNX's Gather and NumPy read -1 as the last word.
#
# A good guess: pad_id() is the id of a piece, or None; and an id outside of the vocabulary is refused
#   when the embedding is looked up, as it is for an id that is too large.
# What happens: a model trained with the defaults has no padding piece, and says so by -1.
#   Both look-ups count -1 from the end. The padding becomes the last piece of the vocabulary, without an error.
# Version: sentencepiece 0.2.3, onnxruntime 1.32.0, onnx 1.23.2, NumPy 2.4.6.
# Output seen:
#   sentencepiece 0.2.3, onnxruntime 1.32.0
#   pad_id: -1, pieces: 24
#   onnxruntime, id -1: the embedding of piece 23
#   numpy,       id -1: the embedding of piece 23
#   onnxruntime, id 24: refused
# Who is hurt: batches filled up with pad_id(). The model reads a rare piece after each sentence,
#   and its state and every padded score are those of that piece.
# What to do: train with pad_id=3 or another free id, or fill with an id of your own and mask it; refuse ids below 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    sentencepiece==0.2.3 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import onnxruntime
import sentencepiece
from onnx import TensorProto, helper, numpy_helper

model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(["the cat sat on the mat", "the dog sat on the log"] * 20),
    model_writer=model, model_type="bpe", vocab_size=24, minloglevel=2,
)
pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
size = pieces.get_piece_size()

embedding = np.arange(size, dtype=np.float32).reshape(size, 1)  # row i holds i
graph = helper.make_graph(
    [helper.make_node("Gather", ["embedding", "ids"], ["x"])],
    "look-up",
    [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])],
    [numpy_helper.from_array(embedding, "embedding")],
)
onnx_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
onnxruntime.set_default_logger_severity(4)
session = onnxruntime.InferenceSession(onnx_model.SerializeToString(), providers=["CPUExecutionProvider"])

padding = pieces.pad_id()
by_runtime = int(session.run(None, {"ids": np.array([padding])})[0][0, 0])
by_numpy = int(embedding[np.array([padding])][0, 0])
try:
    session.run(None, {"ids": np.array([size])})
    too_large = "accepted"
except Exception:
    too_large = "refused"

print(f"sentencepiece {sentencepiece.__version__}, onnxruntime {onnxruntime.__version__}")
print(f"pad_id: {padding}, pieces: {size}")
print(f"onnxruntime, id {padding}: the embedding of piece {by_runtime}")
print(f"numpy,       id {padding}: the embedding of piece {by_numpy}")
print(f"onnxruntime, id {size}: {too_large}")
if padding != -1:
    sys.exit("changed: the default padding id")
if by_runtime != size - 1 or by_numpy != size - 1:
    sys.exit("changed: what -1 looks up")
PYTHON
