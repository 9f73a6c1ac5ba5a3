"""The Trainer checks its parts when it gets them, so that a wrong one is named."""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.threads import Workers
from rnnlm.errors import ArgumentError
from rnnlm.training import protocols
from rnnlm.training.protocols import members

EXAMPLE = "Trainer(model, Adam(0.002), TimeBatches(ids, 20, 35), Constant(0.002))"


def require_parts(model, optimizer, batches, schedule, average, max_grad, workers):
    """ArgumentError unless a Trainer can be made of these parts."""
    _require("model", model, protocols.Model, "a LanguageModel")
    _require("optimizer", optimizer, protocols.Optimizer, "an optimizer", "for example Adam(0.002)")
    if batches is not None:
        _require("batches", batches, protocols.Batches, "a TimeBatches", "TimeBatches(ids, 20, 35)")
    if schedule is not None:
        _require("schedule", schedule, protocols.Schedule, "a schedule", "for example Constant(0.002)")
    if average is not None:
        _require("average", average, protocols.Average, "an Average")
    if workers is not None:
        arguments.kind("workers", workers, Workers, "a Workers")
    arguments.limit("max_grad", max_grad)


def _require(name, part, protocol, rule, remedy=""):
    arguments.has(name, part, members(protocol), rule, remedy)


def require_batches_and_schedule(trainer, who):
    """ArgumentError unless the trainer has both; who: what needs them."""
    if trainer.batches is None or trainer.schedule is None:
        raise ArgumentError(f"{who} needs batches and a schedule: give them to the Trainer, as in {EXAMPLE}")


def require_parts_to_fit(trainer):
    """ArgumentError unless the trainer has all that ``fit`` needs."""
    require_batches_and_schedule(trainer, "fit")
    _require("model", trainer.model, protocols.ModelToFit, "one that can be fitted",
             "it needs reset_state() and set_progress(progress)")


def require_parts_to_save(trainer):
    """ArgumentError unless all parts of the trainer can be saved."""
    require_batches_and_schedule(trainer, "a checkpoint")
    rule = "one that a checkpoint can hold"
    _require("model", trainer.model, protocols.ModelToSave, rule)
    _require("optimizer", trainer.optimizer, protocols.OptimizerToSave, rule)
    _require("batches", trainer.batches, protocols.BatchesToSave, rule)
    _require("schedule", trainer.schedule, protocols.Stateful, rule)
    if trainer.average is not None:
        _require("average", trainer.average, protocols.AverageToSave, rule)


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
