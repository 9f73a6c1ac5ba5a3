"""The names in exported folders that more than one target or the way back needs.

They stand in files that people have, so they must not change.
"""

from rnnlm.text.tokenizer import BLANKS

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
MODEL_TYPE = "rnnlm"  # in config.json

# How tokenizer.json splits a text of words (not by WhitespaceSplit, which splits at
# NBSP and others, too) and of characters.
SPLIT_WORDS = {"type": "Split", "pattern": {"Regex": f"[{BLANKS}]+"}, "behavior": "Removed", "invert": False}
SPLIT_CHARACTERS = {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False}
