"""Modules that are imported when a test uses them: each process of the suite collects all tests."""

import importlib.util
import sys
from types import ModuleType


def lazily(name: str) -> ModuleType:
    """Give a module that is imported at the first use of a name in it."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None, name
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
