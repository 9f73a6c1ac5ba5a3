"""Subwords: a text as pieces of words.

    pieces               bytes and merges: the pieces that they make
    byte_level           the Tokenizer of these
    chunks               what a text is cut into, and a dictionary of what was met
    bpe_library          tokenizers, which learns merges and encodes new chunks
    learning             the pieces of a corpus: learned from its text, or from a file
    files                tokenizer.json, of other libraries
    sentencepieces       the Tokenizer of sentencepiece's pieces
    sentencepiece_files  its models, such as bpe.model
"""
