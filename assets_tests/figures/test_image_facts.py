import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pmc_assets.figures.images import read_image_facts
from pmc_assets.figures.pixels import ImageTooLarge, UnreadableImage

GREY = Image.effect_mandelbrot((300, 200), (-2.2, -1.3, 0.9, 1.6), 40)
COLOUR = Image.merge(
    "RGB", [GREY, GREY.transpose(Image.Transpose.FLIP_LEFT_RIGHT), Image.linear_gradient("L").resize(GREY.size)]
)


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format_, **options)
    return content.getvalue()


def png_header(width_px: int, height_px: int) -> bytes:
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return start + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


SIXTEEN_BIT = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
SAME_PICTURE = {
    "jpeg": (encoded(GREY, "JPEG", quality=95), "jpeg", "L"),
    "jpeg rgb": (encoded(GREY.convert("RGB"), "JPEG", quality=95), "jpeg", "RGB"),
    "jpeg progressive": (encoded(GREY, "JPEG", quality=95, progressive=True), "jpeg", "L"),
    "jpeg cmyk": (encoded(GREY.convert("RGB").convert("CMYK"), "JPEG", quality=95), "jpeg", "CMYK"),
    "png": (encoded(GREY, "PNG"), "png", "L"),
    "png 16 bit": (encoded(SIXTEEN_BIT, "PNG"), "png", "I;16"),
    "png palette": (encoded(GREY.convert("P"), "PNG"), "png", "P"),
    "png alpha": (encoded(Image.merge("LA", [GREY, Image.new("L", GREY.size, 255)]), "PNG"), "png", "LA"),
    "tiff": (encoded(GREY, "TIFF"), "tiff", "L"),
    "tiff lzw": (encoded(GREY.convert("RGB"), "TIFF", compression="tiff_lzw"), "tiff", "RGB"),
    "tiff float": (encoded(GREY.convert("F"), "TIFF"), "tiff", "F"),
    "tiff cmyk": (encoded(GREY.convert("RGB").convert("CMYK"), "TIFF"), "tiff", "CMYK"),
    "gif": (encoded(GREY, "GIF"), "gif", "P"),
    "bmp": (encoded(GREY, "BMP"), "bmp", "L"),
    "webp": (encoded(GREY.convert("RGB"), "WEBP", lossless=True), "webp", "RGB"),
}


@pytest.mark.parametrize("name", SAME_PICTURE)
def test_one_picture_has_the_same_facts_in_every_format(name: str) -> None:
    content, format_, mode = SAME_PICTURE[name]
    facts = read_image_facts(content)
    reference = read_image_facts(SAME_PICTURE["png"][0])
    assert (facts.format, facts.mode, facts.width_px, facts.height_px, facts.frame_count) == (
        format_,
        mode,
        300,
        200,
        1,
    )
    assert (facts.image_phash ^ reference.image_phash).bit_count() <= 4
    assert facts.grey_mean == pytest.approx(reference.grey_mean, abs=3)
    assert facts.grey_std == pytest.approx(reference.grey_std, abs=4)
    assert facts.colorfulness < 2


def test_lab_is_as_colourful_as_it_looks() -> None:
    lab = encoded(Image.new("LAB", (64, 64), (130, 200, 180)), "TIFF")
    assert read_image_facts(lab).mode == "LAB" and read_image_facts(lab).colorfulness > 50


def test_hash_tells_pictures_apart_and_survives_rescaling() -> None:
    one = read_image_facts(encoded(COLOUR, "PNG")).image_phash
    scaled = read_image_facts(encoded(COLOUR.resize((731, 487)), "JPEG", quality=60)).image_phash
    other = read_image_facts(encoded(Image.radial_gradient("L"), "PNG")).image_phash
    assert (one ^ scaled).bit_count() <= 4
    assert (one ^ other).bit_count() >= 12


def test_colourful_image_says_so() -> None:
    assert read_image_facts(encoded(COLOUR, "PNG")).colorfulness > 30


def test_transparent_ground_is_white() -> None:
    clear = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
    assert read_image_facts(encoded(clear, "PNG")).grey_mean == 255


@pytest.mark.parametrize("format_", ["GIF", "TIFF", "WEBP", "PNG"])
def test_first_of_several_frames_is_the_image(format_: str) -> None:
    frames = [GREY.convert("RGB"), COLOUR, Image.new("RGB", GREY.size)]
    if format_ == "TIFF":
        frames = [frame.convert("L") for frame in frames]
    facts = read_image_facts(encoded(frames[0], format_, save_all=True, append_images=frames[1:]))
    assert facts.frame_count == 3
    assert facts.grey_mean == pytest.approx(read_image_facts(SAME_PICTURE["png"][0]).grey_mean, abs=3)


@pytest.mark.parametrize("name", SAME_PICTURE)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_cut_off_file_is_unreadable(name: str, share: float) -> None:
    content = SAME_PICTURE[name][0]
    with pytest.raises(UnreadableImage):
        read_image_facts(content[: int(len(content) * share)])


@pytest.mark.parametrize("name", ["jpeg", "jpeg rgb", "jpeg progressive", "jpeg cmyk"])
def test_jpeg_with_a_hole_is_unreadable(name: str) -> None:
    content = SAME_PICTURE[name][0]
    middle = len(content) // 2
    for damaged in (content[:middle] + b"\xff\xd9", content[:middle] + content[middle + 500 :], content[:-1]):
        with pytest.raises(UnreadableImage):
            read_image_facts(damaged)


@pytest.mark.parametrize(
    "content", [b"", b"GIF", b"   ", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"<svg/>"]
)
def test_what_is_no_picture_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableImage):
        read_image_facts(content)


def test_declared_size_over_the_limit_is_too_large() -> None:
    with pytest.raises(ImageTooLarge):
        read_image_facts(png_header(100_000, 100_000))
    with pytest.raises(ImageTooLarge):
        read_image_facts(
            encoded(GREY, "BMP").replace(struct.pack("<ii", 300, 200), struct.pack("<ii", 90_000, 90_000), 1)
        )


def test_smallest_images_have_facts() -> None:
    for size in ((1, 1), (1, 900), (3000, 2)):
        for format_ in ("JPEG", "PNG"):
            facts = read_image_facts(encoded(Image.new("L", size, 100), format_))
            assert (facts.width_px, facts.height_px) == size
            assert (facts.grey_mean, facts.grey_std, facts.image_phash) == (pytest.approx(100, abs=1), 0, 1 << 63)


def test_damaged_bytes_end_in_one_of_two_errors() -> None:
    drawn = random.Random(20261122)
    for content, _, _ in SAME_PICTURE.values():
        for _ in range(40):
            damaged = bytearray(content)
            for _ in range(drawn.choice([1, 4, 40])):
                damaged[drawn.randrange(drawn.choice([64, len(content)]))] = drawn.randrange(256)
            try:
                read_image_facts(bytes(damaged))
            except (UnreadableImage, ImageTooLarge):
                continue


@pytest.mark.mirror
def test_real_media_is_whole_but_for_the_placeholder(mirror: Path) -> None:
    suffixes = {".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff"}
    unreadable = []
    for path in sorted(mirror.glob("PMC*/*")):
        if path.suffix.lower() in suffixes:
            try:
                read_image_facts(path.read_bytes())
            except UnreadableImage:
                unreadable.append(path.name)
    assert unreadable == ["0034-8910-rsp-47-02-0403-gf01.tif"]
