"""PyTorch: a folder of safetensors out, and such files in again.

    weights       our arrays under PyTorch's names, and back
    writing       the folder of an export
    files         the Python file in it, which needs torch
    layout        which model the arrays of a file are
    words         the words of a model that was trained elsewhere
    export_files  what our own export says besides
    huggingface   the folder of our export to Hugging Face
    reading       all of it: a path in, a model and its vocabulary out
"""

from rnnlm.exchange.torch.reading import read
from rnnlm.exchange.torch.writing import export

__all__ = ["export", "read"]
