"""The compiled twins of the functions that cost most, where a compiler was at hand when the package was installed."""

from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

native: ModuleType | None
try:
    from pmc_assets.jats import native
except ImportError:
    native = None

_Function = TypeVar("_Function", bound=Callable)


def compiled(function: _Function) -> _Function:
    """Put the twin of the same name in place of a function or class; else it stays.

    The twin gives the same faster; where the function gives nothing, so that its caller reads the long way, the twin
    gives what that way leads to.
    """
    return getattr(native, function.__name__, function)
