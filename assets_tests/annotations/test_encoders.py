import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pmc_assets.annotations.decoding import square
from pmc_assets.annotations.encoders import UnknownEncoder, encoder_table_name, load_encoder
from pmc_assets.lake import Lake


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    drawn = np.random.default_rng(1)
    smooth = [
        np.asarray(Image.fromarray(drawn.integers(0, 255, (7, 7, 3), dtype=np.uint8)).resize((224, 224)))
        for _ in range(3)
    ]
    return np.stack(smooth)


def test_square_keeps_the_aspect_ratio_and_pads_with_grey() -> None:
    values = square(Image.new("RGB", (400, 100), "red"), 64, 127)
    red = (values == (255, 0, 0)).all(axis=2)
    assert (red.any(axis=1).sum(), red.any(axis=0).sum()) == (16, 64)
    assert (values[0] == 127).all() and (values[-1] == 127).all()


def test_efficientnet_by_onnx_gives_the_vectors_of_torch(encoder_lake: Lake, pixels: np.ndarray) -> None:
    from pmc_assets.annotations.efficientnet import TorchEncoder, _torch_model

    first, second = (load_encoder("efficientnet-lite0", encoder_lake) for _ in range(2))
    torch_vectors = TorchEncoder(first.version, _torch_model()).encode(pixels)
    vectors = first.encode(pixels)
    assert vectors.shape == (3, 1280)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.abs(vectors - torch_vectors).max() < 1e-5
    assert (vectors == second.encode(pixels)).all()
    assert first.version == second.version


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed by Linux's /proc")
def test_onnx_runtime_keeps_no_telemetry(encoder_lake: Lake) -> None:
    load_encoder("efficientnet-lite0", encoder_lake)
    assert not [file for file in Path("/proc/self/fd").iterdir() if "Microsoft" in str(file.resolve())]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny DINOv2 with registers, its weights drawn at random, as `save_pretrained` writes it."""
    import torch
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny dinov2"
    config = Dinov2WithRegistersConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14, num_register_tokens=2
    )
    Dinov2WithRegistersModel(config).save_pretrained(folder)
    settings = {
        "image_processor_type": "BitImageProcessor",
        "crop_size": {"height": 56, "width": 56},
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"shortest_edge": 64},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def test_dinov2_is_loaded_from_a_folder_and_normalised_as_its_card_says(tmp_path: Path, checkpoint: Path) -> None:
    import torch
    from transformers import AutoModel

    encoder = load_encoder("dinov2", Lake(str(tmp_path)), checkpoint=str(checkpoint))
    assert (encoder.name, encoder.dimensions, encoder.side_px) == ("tiny-dinov2", 24, 56)
    images = np.random.default_rng(2).integers(0, 255, (2, 56, 56, 3), dtype=np.uint8)
    scaled = (images / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    with torch.inference_mode():
        tensor = torch.tensor(scaled.transpose(0, 3, 1, 2), dtype=torch.float32)
        expected = AutoModel.from_pretrained(checkpoint)(pixel_values=tensor).last_hidden_state[:, 0].numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(encoder.encode(images) - expected).max() < 1e-5


def test_dinov2_version_tells_checkpoints_of_one_name_apart(tmp_path: Path, checkpoint: Path) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(checkpoint)
    model.layernorm.weight.data += 0.5
    other = tmp_path / "tiny dinov2"
    model.save_pretrained(other)
    settings = json.loads((checkpoint / "preprocessor_config.json").read_text()) | {"crop_size": 60}
    (other / "preprocessor_config.json").write_text(json.dumps(settings))
    lake = Lake(str(tmp_path / "lake"))
    encoders = [load_encoder("dinov2", lake, checkpoint=str(folder)) for folder in (checkpoint, other)]
    assert encoders[0].version.split("-")[0] != encoders[1].version.split("-")[0]
    assert [encoder.side_px for encoder in encoders] == [56, 56]


def test_encoder_names_are_those_of_tables() -> None:
    assert encoder_table_name("efficientnet-lite0") == "efficientnet-lite0"
    assert encoder_table_name("dinov2") == "dinov2-with-registers-large"
    assert encoder_table_name("dinov2", "/models/my checkpoint/") == "my-checkpoint"


def test_unknown_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownEncoder, match="efficientnet-lite0, dinov2"):
        load_encoder("resnet", Lake(str(tmp_path)))
