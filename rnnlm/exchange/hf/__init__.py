"""Hugging Face: a folder that ``transformers`` opens with ``trust_remote_code=True``.

    folder     all files of it
    weights    model.safetensors
    tokenizer  tokenizer.json, tokenizer_config.json
    files      the code that goes into the folder, which needs torch and transformers
"""

from rnnlm.exchange.hf.folder import export

__all__ = ["export"]
