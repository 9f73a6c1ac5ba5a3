"""The public names tell type checkers what they take and return."""

import inspect
from pathlib import Path

import pytest

import rnnlm

STILL_TO_COME = {"rnnlm.formats", "rnnlm.models", "rnnlm.training.trainer"}  # modules whose public names have no annotations yet
SPECIAL = {"__init__", "__call__", "__len__"}  # methods that users call in other ways than by name


def unannotated(name, function):
    """What a signature leaves open: parameters but self and cls, and the result."""
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls"):
            yield f"{name}({parameter.name})"
    if signature.return_annotation is signature.empty:
        yield f"{name} ->"


def functions(name):
    """(name, function) of a public function, or of a class's methods and properties.

    The methods are the public ones, with those inherited within the package.
    """
    value = getattr(rnnlm, name)
    if not inspect.isclass(value):
        yield name, value
        return
    for owner in value.__mro__:
        for attribute, found in vars(owner).items() if owner.__module__.startswith("rnnlm.") else ():
            found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
            if inspect.isfunction(found) and (attribute in SPECIAL or not attribute.startswith("_")):
                yield f"{name}.{attribute}", found


def is_in(function, prefix):
    return f"{function.__module__}.".startswith(f"{prefix}.")


@pytest.mark.parametrize("name", rnnlm.__all__)
def test_public_names_are_annotated(name):
    missing = [part for called, function in functions(name) for part in unannotated(called, function)
               if not any(is_in(function, prefix) for prefix in STILL_TO_COME)]
    assert missing == []


@pytest.mark.parametrize("prefix", sorted(STILL_TO_COME))
def test_a_module_that_is_annotated_is_not_excused(prefix):
    assert any(is_in(function, prefix) for name in rnnlm.__all__ for called, function in functions(name)
               for _ in unannotated(called, function))


def test_type_checkers_are_told_that_there_are_annotations():
    assert (Path(rnnlm.__file__).parent / "py.typed").read_bytes() == b""
