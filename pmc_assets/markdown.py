"""Tables in Markdown. What stands in them stays out."""

from collections.abc import Iterable, Sequence

LEFT, RIGHT = "---", "---:"


def table(header: Sequence[str], rows: Iterable[Iterable[str]], marks: Sequence[str] = ()) -> str:
    """Give a table; `marks` are LEFT or RIGHT by column, all LEFT where there are none."""
    return "\n".join([*head(header, marks), *map(line, rows)])


def head(header: Sequence[str], marks: Sequence[str] = ()) -> list[str]:
    """Give the two lines above a table's rows."""
    return [line(header), line(marks or [LEFT] * len(header))]


def line(cells: Iterable[str]) -> str:
    """Give one row; what would end a cell or the line is escaped."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
