"""Where torch models run: the best device of the machine, in the precision that suits it."""

import contextlib
from typing import Any


def best_device() -> str:
    """Name the device to use: cuda, else mps, else cpu."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def mixed_precision(device: str) -> contextlib.AbstractContextManager[Any]:
    """Run a block in float16 where the device gains by it (any accelerator), in float32 on the CPU."""
    import torch

    return contextlib.nullcontext() if device == "cpu" else torch.autocast(device, dtype=torch.float16)
