"""Variables of the environment that are whole numbers."""

import os


def whole_number(name: str, default: int) -> int:
    """Read a variable; unset is the default. Raises: ValueError, naming it, for other words."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise ValueError(f"{name} is {text!r}: it has to be a whole number")
    return int(text)
