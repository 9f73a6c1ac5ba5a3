"""The public names tell type checkers what they take and return."""

import inspect
from pathlib import Path

import pytest

import rnnlm

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


@pytest.mark.parametrize("name", rnnlm.__all__)
def test_public_names_are_annotated(name):
    assert [part for called, function in functions(name) for part in unannotated(called, function)] == []


def test_type_checkers_are_told_that_there_are_annotations():
    assert (Path(rnnlm.__file__).parent / "py.typed").read_bytes() == b""
