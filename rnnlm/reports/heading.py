"""The lines with # above a table: what must be known to read its numbers."""

from rnnlm.errors import one_line


def heading_lines(head: dict[str, object]) -> str:
    """``# key: value`` lines of a dict, each with its end; "" for an empty one."""
    return "".join(f"# {key}: {one_line(str(value))}\n" for key, value in head.items())
