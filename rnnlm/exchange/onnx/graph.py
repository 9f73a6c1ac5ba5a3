"""A graph of ONNX operators, built one by one.

An operator is added by its name and the names of its inputs, and gives the names of its
results.  So the functions that build a graph read like the computation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any


class Graph:
    """Operators and constants, in the order in which they are added.

    Parameters
    ----------
    library : the module onnx.
    prefix : what the names of results begin with.  A graph inside another one needs a
        prefix of its own: names are distinct in all.
    """

    def __init__(self, library: Any, prefix: str = "") -> None:
        self.onnx, self.prefix = library, prefix
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}  # by name
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def add(self, operator: str, *inputs: str, results: int | tuple[str, ...] = 1, **attributes: Any) -> Any:
        """Add an operator.

        Parameters
        ----------
        operator : its name in ONNX.
        inputs : names; "" for an optional one that is left out.
        results : how many it has, or their names.
        attributes : of the operator.

        Returns
        -------
        str or tuple : the name of its result, or the names if there are several.
        """
        number = len(self.nodes) + 1
        if isinstance(results, int):
            stem = f"{self.prefix}{operator}{number}"
            results = (stem,) if results == 1 else tuple(f"{stem}.{i}" for i in range(1, results + 1))
        self.nodes.append(self.onnx.helper.make_node(
            operator, list(inputs), list(results), f"{self.prefix}{number}", **attributes))
        return results[0] if len(results) == 1 else results

    def constant(self, name: str, values: Any) -> str:
        """An array by name, stored once however often it is asked for."""
        if name not in self.constants:
            self.constants[name] = self.onnx.numpy_helper.from_array(np.asarray(values, order="C"), name)
        return name

    def number(self, value: int) -> str:
        """A whole number, shape ()."""
        return self.constant(f"{self.prefix}number {value}", np.array(value, np.int64))

    def numbers(self, *values: int) -> str:
        """A list of whole numbers, such as axes or sizes."""
        return self.constant(f"{self.prefix}numbers {' '.join(map(str, values))}", np.array(values, np.int64))

    def size(self, value: str, axis: int) -> str:
        """The size of an axis as a list of one number."""
        return self.add("Gather", self.add("Shape", value), self.numbers(axis))

    def takes(self, name: str, kind: type, shape: list[int | str], about: str = "") -> str:
        """Declare an input of the graph; a str in its shape is a size that varies."""
        self.inputs.append(self._declared(name, kind, shape, about))
        return name

    def gives(self, name: str, kind: type, shape: list[int | str], about: str = "") -> None:
        """Declare a result of the graph."""
        self.outputs.append(self._declared(name, kind, shape, about))

    def made(self, name: str) -> Any:
        """The onnx.GraphProto."""
        return self.onnx.helper.make_graph(self.nodes, name, self.inputs, self.outputs, [*self.constants.values()])

    def _declared(self, name, kind, shape, about):
        helper = self.onnx.helper
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape, about)
