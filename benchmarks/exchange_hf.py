"""Exported models in the real transformers, minicons and lm-eval, beside our numbers.

    pip install torch transformers minicons lm-eval 'numpy-rnnlm[hf]'
    python benchmarks/exchange_hf.py MODEL MODEL --text TEST --sentences VALID
    python benchmarks/exchange_hf.py MODEL --pairs BLIMP/*.jsonl --prepare

--text: the perplexity of a text as one stream, in transformers.
--sentences: the surprisals of its first 100 lines, word by word, in minicons.
--pairs: which sentence of each pair lm-eval chooses, the end not scored, a tie right.

How transformers pads, generates, saves and places a model is tested by
``pytest -m slow tests/exchange/hf``, where it is installed.
"""

import argparse
import json
import math
import os
import tempfile
from pathlib import Path

import numpy as np

import rnnlm
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.hf import export
from rnnlm.scoring.pairs import score_pairs
from rnnlm.text.pairs_files import read_pairs
from rnnlm.text.punctuation import split_punctuation

WINDOW = 1000  # words that transformers reads at a time; the state is carried on
LINES = 100
TASK = """\
task: {name}
dataset_path: json
dataset_kwargs:
  data_files: {{test: {path}}}
test_split: test
output_type: multiple_choice
doc_to_text: ""
doc_to_target: 0
doc_to_choice: "{{{{[sentence_good, sentence_bad]}}}}"
target_delimiter: ""
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
"""


def opened(folder):
    """The model and the tokenizer of a folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return [kind.from_pretrained(folder, trust_remote_code=True) for kind in (AutoModelForCausalLM, AutoTokenizer)]


def perplexity(folder, text):
    """Of a text as one stream: its first token is the line end that opens it."""
    import torch

    model, tokenizer = opened(folder)
    ids = tokenizer(Path(text).read_text(encoding="utf-8"), return_tensors="pt", verbose=False).input_ids
    total, states = 0.0, None
    with torch.inference_mode():
        for start in range(0, ids.shape[1] - 1, WINDOW):
            part = ids[:, start : start + WINDOW + 1]
            found = model(part[:, :-1], states=states)
            total += model.loss_function(found.logits, None, model.config.vocab_size, shift_labels=part[:, 1:]
                                         ).item() * (part.shape[1] - 1)
            states = found.states
    return math.exp(total / (ids.shape[1] - 1))


def surprisals(folder, lines):
    """Bits of each word of each line, its end among them, by minicons."""
    from minicons.scorer import IncrementalLMScorer

    model, tokenizer = opened(folder)
    scorer = IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)
    found = []
    for start in range(0, len(lines), 10):
        batch = scorer.token_score(lines[start : start + 10], eos_token=True, surprisal=True, base_two=True)
        found += [bits for line in batch for _, bits in line[1:]]  # the first is the one that opens the line
    return np.array(found)


def choices(folder, path):
    """The scores of both sentences of each pair by lm-eval, and whether it is right."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    with tempfile.TemporaryDirectory() as tasks:
        Path(tasks, "pairs.yaml").write_text(TASK.format(name="pairs", path=path))
        model, tokenizer = opened(folder)
        done = simple_evaluate(HFLM(model, tokenizer=tokenizer, batch_size=16), tasks=["pairs"], log_samples=True,
                               task_manager=TaskManager(include_path=tasks), bootstrap_iters=0)
    samples = sorted(done["samples"]["pairs"], key=lambda sample: sample["doc_id"])
    scores = [[float(choice[0]) for choice in sample["filtered_resps"]] for sample in samples]
    return np.array(scores), np.array([sample["acc"] for sample in samples], bool)


def prepared(path, folder, vocabulary):
    """A file of the pairs in small letters, with punctuation as words of its own."""
    new = Path(folder, Path(path).name)
    with open(path, encoding="utf-8") as old, open(new, "w", encoding="utf-8") as file:
        for line in old:
            pair = json.loads(line)
            for name in ("sentence_good", "sentence_bad"):
                words = vocabulary.tokenizer.split(pair[name].lower() + "\n")
                pair[name] = " ".join(split_punctuation(words, vocabulary.ids, True)[:-1])
            file.write(json.dumps(pair) + "\n")
    return new


def measured(path, options):
    """Yield rows of figures for a model."""
    model = rnnlm.load(path)
    with tempfile.TemporaryDirectory() as place:
        folder = os.path.join(place, "exported")
        export(Exported(model.model, model.vocabulary), folder)
        if options.text:
            ours, theirs = model.perplexity(Path(options.text)), perplexity(folder, options.text)
            yield {"model": path, "perplexity": ours, "transformers": theirs, "relative": abs(theirs / ours - 1)}
        if options.sentences:
            lines = Path(options.sentences).read_text(encoding="utf-8").splitlines()[:LINES]
            lines = [" ".join(line.split()) for line in lines]
            ours = model.score("\n".join(lines) + "\n", "sentence")["surprisal"]
            bits = surprisals(folder, lines)
            yield {"model": path, "lines": len(lines), "words": len(ours),
                   "minicons, largest difference in bits": float(np.abs(bits - ours).max())}
        for file in options.pairs:
            yield {"model": path, **of_pairs(model, folder, file, place if options.prepare else None)}


def of_pairs(model, folder, file, place):
    """A row: how many pairs of a file are right here and in lm-eval."""
    file = prepared(file, place, model.vocabulary) if place else Path(file).absolute()
    ours = score_pairs(model.model, model.vocabulary, read_pairs(str(file)), with_end=False, ties="right").sentence
    scores, right = choices(folder, file)
    return {"pairs": file.stem, "rnnlm": float(ours.right("right").mean()), "lm-eval": float(right.mean()),
            "ties": int(ours.tied.sum()), "of": len(right), "same choice": int((ours.right("right") == right).sum()),
            "largest difference in nats": float(np.abs(scores - ours.log_probs).max())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--text")
    parser.add_argument("--sentences")
    parser.add_argument("--pairs", nargs="*", default=[])
    parser.add_argument("--prepare", action="store_true", help="small letters, punctuation as words")
    options = parser.parse_args()
    for path in options.models:
        for row in measured(path, options):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
