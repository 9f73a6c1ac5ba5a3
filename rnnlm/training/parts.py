"""The parts of a training run: each is looked at when the Trainer gets it, so that a wrong one is named there."""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.threads import Workers
from rnnlm.errors import ArgumentError

EXAMPLE = "Trainer(model, Adam(0.002), TimeBatches(ids, 20, 35), Constant(0.002))"


def require_parts(model, optimizer, batches, schedule, average, max_grad, workers):
    """ArgumentError unless a Trainer can be made of these; of models, rules and batches only what it needs is asked."""
    arguments.has("model", model, ("forward", "backward", "packing"), "a LanguageModel")
    arguments.has("optimizer", optimizer, ("update", "lr"), "an optimizer", "for example Adam(0.002)")
    if batches is not None:
        arguments.has("batches", batches, ("at_end", "position"), "a TimeBatches", "TimeBatches(ids, 20, 35)")
    if schedule is not None:
        arguments.has("schedule", schedule, ("rate", "update"), "a schedule", "for example Constant(0.002)")
    if average is not None:
        arguments.has("average", average, ("in_place", "update"), "an Average")
    if workers is not None:
        arguments.kind("workers", workers, Workers, "a Workers")
    arguments.limit("max_grad", max_grad)


def require_batches_and_schedule(trainer, who):
    """ArgumentError unless the trainer has both; who: what needs them."""
    if trainer.batches is None or trainer.schedule is None:
        raise ArgumentError(f"{who} needs batches and a schedule: give them to the Trainer, as in {EXAMPLE}")


def require_functions(validate, on_step):
    """ArgumentError unless these can be called."""
    if not callable(validate):
        raise arguments.wrong("validate", "a function that returns the validation loss in nats per token", validate)
    if on_step is not None and not callable(on_step):
        raise arguments.wrong("on_step", "a function of a step", on_step)


def name_misfit(params, grads, factors, decays):
    """ArgumentError that says why an update cannot be made of these."""
    for param in arguments.kind("params", params, list | tuple, "a list of arrays"):
        arguments.kind("a parameter", param, np.ndarray, "an array")
    for name, values in (("grads", grads), ("factors", factors), ("decays", decays)):
        if name == "grads" or values:
            arguments.one_for_each(name, values, len(params), "parameters")
    for param, grad in zip(params, grads, strict=True):
        if getattr(grad, "shape", None) != param.shape:
            raise arguments.wrong("a gradient", f"an array of its parameter's shape, {param.shape}", grad)
