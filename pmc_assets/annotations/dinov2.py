"""DINOv2, with registers or without: the encoder for fine groups, from a local folder or a hub id."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pmc_assets.annotations.devices import best_device, mixed_precision
from pmc_assets.annotations.encoders import encoder_table_name, normalised

PREPROCESSING = "pad"
DEFAULT_SIDE_PX = 224


@dataclass
class Dinov2Encoder:
    """A Dinov2 or Dinov2WithRegisters checkpoint; the vector is the class token after the last norm."""

    name: str
    version: str
    dimensions: int
    side_px: int
    pad_grey: int
    mean: np.ndarray
    std: np.ndarray
    model: Any = field(repr=False)
    device: str = "cpu"
    batch_images: int = 32

    def encode(self, images: np.ndarray) -> np.ndarray:
        import torch

        pixels = (images.astype(np.float32) / 255.0 - self.mean) / self.std
        batch = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).to(self.device)
        with torch.inference_mode(), mixed_precision(self.device):
            vectors = self.model(pixel_values=batch).pooler_output
        return normalised(vectors.float().cpu().numpy())


def load_dinov2(checkpoint: str) -> Dinov2Encoder:
    """Load a checkpoint with the mean and deviation of its own preprocessor_config.json.

    The version is a digest of the weights, so that two checkpoints of one name are told apart.
    """
    import torch
    from transformers import AutoModel, BaseImageProcessor

    settings, _ = BaseImageProcessor.get_image_processor_dict(checkpoint)
    model = AutoModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
    device = best_device()
    mean = np.array(settings["image_mean"], dtype=np.float32)
    return Dinov2Encoder(
        name=encoder_table_name("dinov2", checkpoint),
        version=f"{_weights_digest(model)[:12]}-{PREPROCESSING}{_side_px(settings, model)}",
        dimensions=model.config.hidden_size,
        side_px=_side_px(settings, model),
        pad_grey=round(255 * float(mean.mean())),
        mean=mean,
        std=np.array(settings["image_std"], dtype=np.float32),
        model=model.to(device),
        device=device,
    )


def _side_px(settings: dict, model: Any) -> int:
    """Give the side that the preprocessor crops to, as whole patches."""
    crop = settings.get("crop_size") or DEFAULT_SIDE_PX
    side = int(crop["height"] if isinstance(crop, dict) else crop)
    patch = int(model.config.patch_size)
    return max(patch, side // patch * patch)


def _weights_digest(model: Any) -> str:
    digest = hashlib.sha256()
    for name, values in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.contiguous().numpy().tobytes())
    return digest.hexdigest()
