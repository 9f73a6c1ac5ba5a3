"""How BLAS reads matrices: by columns, with a distance from one column to the next.

BLAS takes an array whose rows lie without gaps for its transpose.  So a product needs
no copy unless a matrix has gaps in both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Self


def layout(x: Any) -> tuple[int, int] | None:
    """Whether BLAS reads the transpose of a matrix, and its leading dimension.

    None: the numbers of a row have gaps, and those of a column, too.
    """
    (rows, columns), (down, across), size = x.shape, x.strides, x.itemsize
    if (down == size or rows == 1) and (across >= size * rows or columns == 1):
        return 0, across // size if columns > 1 else max(rows, 1)
    if (across == size or columns == 1) and (down >= size * columns or rows == 1):
        return 1, down // size if rows > 1 else max(columns, 1)
    return None


class Product(NamedTuple):
    """The arguments of a gemm that computes out = a @ b.

    Attributes
    ----------
    swapped : whether b comes first: out lies by rows, so it is out.T = b.T @ a.T.
    transposed : for both, whether it is to be transposed, 0 or 1.
    sizes : m, n, k.
    first, second, out : the leading dimensions.
    """

    swapped: bool
    transposed: tuple[int, int]
    sizes: tuple[int, int, int]
    first: int
    second: int
    out: int

    @classmethod
    def of(cls, a: Any, b: Any, out: Any) -> Self | None:
        """The arguments for these matrices; None: one of them must be copied first."""
        of_a, of_b, of_out = layout(a), layout(b), layout(out)
        if of_a is None or of_b is None or of_out is None:
            return None
        (m, k), n = a.shape, b.shape[1]
        if of_out[0]:
            return cls(True, (1 - of_b[0], 1 - of_a[0]), (n, m, k), of_b[1], of_a[1], of_out[1])
        return cls(False, (of_a[0], of_b[0]), (m, n, k), of_a[1], of_b[1], of_out[1])
