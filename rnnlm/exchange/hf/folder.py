"""The folder: weights, configuration, tokenizer, and the code that runs them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.exchange.hf.tokenizer import TokenIds, tokenizer_config, tokenizer_json
from rnnlm.exchange.hf.weights import tensors
from rnnlm.exchange.holds import require
from rnnlm.exchange.names import CONFIG, MODEL_TYPE, TOKENIZER, WEIGHTS
from rnnlm.exchange.output import whole_folder
from rnnlm.exchange.safetensors_file import write_safetensors
from rnnlm.files.whole import write_text
from rnnlm.formats.model_file import require_vocabulary
from rnnlm.formats.stored_vocabulary import vocabulary_arrays

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.exchange.exported import Exported

CODE = "modeling_rnnlm.py"
SOURCE = Path(__file__).parent / "files" / CODE


def export(exported: Exported, path: str | os.PathLike[str]) -> None:
    """Write a folder that ``transformers`` opens with ``trust_remote_code=True``.

    Parameters
    ----------
    exported : the model, its vocabulary, and where they come from.
    path : of the folder; an earlier export there is replaced.

    Raises
    ------
    ArgumentError : the target cannot hold the model, or the words belong to another
        one.
    DivergenceError : a weight is not finite.
    RnnlmError : the folder holds something else, or cannot be written.
    """
    require("hf", exported.model.architecture, exported.vocabulary)
    require_vocabulary(exported.model, exported.vocabulary)
    vocabulary_arrays(exported.vocabulary)  # raises for words that no text can have
    tokens = TokenIds(exported.vocabulary)
    with whole_folder(path) as folder:
        for name, content in _contents(exported, tokens).items():
            write_text(folder / name, content)
        write_safetensors(folder / WEIGHTS, tensors(exported.model, tokens.added), {})


def _contents(exported, tokens):
    """The texts of the folder's other files, by name."""
    values = {CONFIG: config(exported, tokens), "generation_config.json": generation_config(tokens),
              TOKENIZER: tokenizer_json(exported.vocabulary, tokens),
              "tokenizer_config.json": tokenizer_config(tokens)}
    return {name: json.dumps(value, indent=1) + "\n" for name, value in values.items()} | {
        CODE: SOURCE.read_text(encoding="utf-8")}


def config(exported: Exported, tokens: TokenIds) -> dict[str, Any]:
    """What ``config.json`` holds, for JSON."""
    a = exported.model.architecture
    name = CODE.removesuffix(".py")
    return {"model_type": MODEL_TYPE, "architectures": ["RnnlmForCausalLM"],
            "auto_map": {"AutoConfig": f"{name}.RnnlmConfig", "AutoModel": f"{name}.RnnlmModel",
                         "AutoModelForCausalLM": f"{name}.RnnlmForCausalLM"},
            "cell": a.cell, "activation": a.activation, "vocab_size": len(tokens.ids),
            "trained_vocab_size": a.vocab_size, "wordvec_size": a.wordvec_size, "hidden_size": a.hidden_size,
            "num_hidden_layers": a.layers, "projection": a.projection, "tie_word_embeddings": a.tied,
            **_special_ids(tokens), "use_cache": False, "dtype": "float32", "rnnlm_sha256": exported.sha256}


def generation_config(tokens: TokenIds) -> dict[str, Any]:
    """What ``generation_config.json`` holds, for JSON."""
    return {**_special_ids(tokens), "use_cache": False}


def _special_ids(tokens):
    """The ids of the tokens that have a part to play."""
    return {"bos_token_id": tokens.eos_id, "eos_token_id": tokens.eos_id, "pad_token_id": tokens.ids[tokens.pad]}
