"""Small n-gram models as dicts, and ARPA files of them as different tools write them.

A model is a dict from n-grams, tuples of words with <s> and </s>, to the logarithms to
base 10 of a probability and of a back-off weight.
"""

import numpy as np

WORDS = ("the", "cat", "sat", "on", "mat", "naïve", "a_b", "1")


def ngrams(order=3, seed=0, words=WORDS, unknown=True):
    """A model whose n-grams all have their first words as n-grams."""
    rng = np.random.default_rng(seed)
    names = [*(["<unk>"] if unknown else []), *words]
    found = {("<s>",): (-99.0, round(-rng.random(), 6)), ("</s>",): (-1.25, 0.0)}
    found |= {(name,): (round(-3 * rng.random() - 0.1, 6), round(0.5 - rng.random(), 6)) for name in names}
    contexts = [(name,) for name in ("<s>", *names)]
    for _ in range(2, order + 1):
        new = []
        for context in contexts:
            for word in rng.choice([*names, "</s>"], 4, replace=False).tolist():
                found[*context, word] = round(-2 * rng.random() - 0.01, 6), round(0.5 - rng.random(), 6)
                new.append((*context, word))
        contexts = [new[i] for i in rng.permutation(len(new))[:25].tolist() if new[i][-1] != "</s>"]
    for ngram in found:
        if ngram[-1] == "</s>" or len(ngram) == order:
            found[ngram] = found[ngram][0], 0.0
    return found


def closed(model):
    """The model without n-grams whose last words are none, as KenLM wants it."""
    kept = {}
    for ngram in sorted(model, key=len):
        if len(ngram) == 1 or (ngram[1:] in kept and ngram[:-1] in kept):
            kept[ngram] = model[ngram]
    return kept


def log10_p(model, word, history):
    """log10 p of a word after a history: the definition, word by word."""
    if (*history, word) in model or not history:
        return model[*history, word][0]
    return model.get(tuple(history), (0, 0))[1] + log10_p(model, word, history[1:])


def text_scores(model, lines, order=3):
    """log10 p of all words and ends of lines, which are lists of words."""
    found = []
    for line in lines:
        words = ["<s>", *(word if (word,) in model else "<unk>" for word in line), "</s>"]
        found += [log10_p(model, words[i], words[max(0, i - order + 1) : i]) for i in range(1, len(words))]
    return found


def by_order(model):
    """The n-grams of each order, lists of (n-gram, log10 p, log10 of the weight)."""
    order = max(map(len, model))
    return [[(ngram, *model[ngram]) for ngram in model if len(ngram) == n] for n in range(1, order + 1)]


def kenlm_text(model, heading=""):
    """As KenLM: weights for all n-grams but the longest; sorted by the last word."""
    orders = by_order(model)
    lines = [*heading.splitlines(), "\\data\\", *(f"ngram {n}={len(found)}" for n, found in enumerate(orders, 1)), ""]
    for n, found in enumerate(orders, 1):
        lines.append(f"\\{n}-grams:")
        for ngram, p, weight in sorted(found, key=lambda row: row[0][::-1]) if n > 1 else found:
            lines.append(f"{p}\t{' '.join(ngram)}" + (f"\t{weight or 0}" if n < len(orders) else ""))
        lines.append("")
    return "\n".join([*lines, "\\end\\", ""])


def srilm_text(model):
    """As SRILM does: an empty line first, no weights of 0, blanks after the data."""
    orders = by_order(model)
    lines = ["", "\\data\\", *(f"ngram {n}={len(found)}" for n, found in enumerate(orders, 1))]
    for n, found in enumerate(orders, 1):
        lines += ["", f"\\{n}-grams:"]
        lines += [f"{p}\t{' '.join(ngram)}" + (f"\t{weight}" if weight else "") for ngram, p, weight in sorted(found)]
    return "\n".join([*lines, "", "\\end\\", ""])


def irstlm_text(model):
    """As IRSTLM does: counts in columns, and n-grams of several <s>."""
    orders = by_order(model | {("<s>", "<s>"): (-4.10746, -0.131984), ("<s>", "<s>", "<s>"): (-0.58149, 0)})
    lines = ["", "\\data\\", *(f"ngram  {n}={len(found):10}" for n, found in enumerate(orders, 1)), ""]
    for n, found in enumerate(orders, 1):
        lines += ["", f"\\{n}-grams:"]
        lines += [f"{p}\t{' '.join(ngram)}" + (f"\t{weight}" if weight else "") for ngram, p, weight in found]
    return "\n".join([*lines, "\\end\\", ""])


def kaldi_text(model):
    """As pocolm and Kaldi's scripts do: 0 for <s>, no blank line before the end."""
    return srilm_text(model | {("<s>",): (0, model[("<s>",)][1])}).lstrip("\n").replace("\n\n\\end", "\n\\end")


def sphinx_text(model):
    """As CMU's tools do: a banner, blanks for tabs, four digits or more."""
    banner = "This is a CLOSED-vocabulary model\n (1.0 0.5)\nARPA-style 3-gram file.\n\n"
    return banner + srilm_text(model).replace("\t", "  ").replace("\n\n\\2", "\n \t \n\\2")


def windows_text(model):
    """CR LF, capitals for the unknown word, exponents, a mark at the start."""
    text = kenlm_text({tuple(word.replace("<unk>", "<UNK>") for word in ngram): values
                       for ngram, values in model.items()})
    lines = text.split("\n")
    for i, line in enumerate(lines):
        parts = line.split("\t")
        if len(parts) > 1:
            lines[i] = "\t".join([f"{float(parts[0]):.8e}", *parts[1:2], *(f"{float(x):.7E}" for x in parts[2:])])
    return "\ufeff" + "\r\n".join(lines)


STYLES = {"kenlm": kenlm_text, "srilm": srilm_text, "irstlm": irstlm_text, "kaldi": kaldi_text,
          "sphinx": sphinx_text, "windows": windows_text}
