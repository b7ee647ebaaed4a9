"""Processes that start at once: forked from one server that has imported what they need, not from the test itself."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from unittest.mock import patch

IMPORTED_ONCE = ["pytest", "stages", "pmc_assets.assets.pubmed_records"]


def start(target: Callable[..., object], *arguments: object) -> BaseProcess:
    """Start a process that calls `target`, a function of a module.

    The server that all are forked from finds modules by PYTHONPATH alone, so it gets the path of the test.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED_ONCE)
    process = context.Process(target=target, args=arguments)
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path))):
        process.start()
    return process
