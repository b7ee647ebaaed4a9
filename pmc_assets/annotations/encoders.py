"""Encoders: what turns images into vectors, by name. Which images, and where vectors go, stays out."""

import re
from pathlib import PurePosixPath
from typing import Protocol

import numpy as np

from pmc_assets.lake import Lake

DEFAULT_ENCODER = "efficientnet-lite0"
DEFAULT_DINOV2_CHECKPOINT = "facebook/dinov2-with-registers-large"


class Encoder(Protocol):
    """One model with its preprocessing. Vectors of different `name` or `version` are never compared.

    `pad_grey` fills what an image leaves of its `side_px` square. `encode` takes uint8 (n, side_px, side_px, 3)
    and gives float32 (n, dimensions), L2-normalised.
    """

    name: str
    version: str
    dimensions: int
    side_px: int
    pad_grey: int
    batch_images: int

    def encode(self, images: np.ndarray) -> np.ndarray: ...


class UnknownEncoder(ValueError):
    """The name is not that of an encoder."""


def load_encoder(name: str, lake: Lake, *, checkpoint: str = "", threads: int = 2) -> Encoder:
    """Load an encoder: `efficientnet-lite0` (coarse, inside the installation) or `dinov2` (a folder or hub id).

    Raises: UnknownEncoder.
    """
    if name == "efficientnet-lite0":
        from pmc_assets.annotations.efficientnet import load_efficientnet_lite0

        return load_efficientnet_lite0(lake, threads)
    if name == "dinov2":
        from pmc_assets.annotations.dinov2 import load_dinov2

        return load_dinov2(checkpoint or DEFAULT_DINOV2_CHECKPOINT)
    raise UnknownEncoder(f"{name!r} is not an encoder: choose one of efficientnet-lite0, dinov2")


def encoder_table_name(name: str, checkpoint: str = "") -> str:
    """Give the name under which an encoder's vectors are kept: a checkpoint's own where it has one."""
    if name != "dinov2":
        return name
    return re.sub(r"[^A-Za-z0-9.-]+", "-", PurePosixPath(checkpoint or DEFAULT_DINOV2_CHECKPOINT).name)


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Scale every row to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
