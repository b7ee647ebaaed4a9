"""Bad input for every door: whole things cut, flipped, overwritten and forged. What doors do stays out."""

import gzip
import io
import json
import random
import struct
import tarfile
import zlib
from collections.abc import Iterator

from PIL import Image

SIDES_PX = (120, 80)
HUGE_PX = 100_000
BOMB_BYTES = 300 * 2**20
XML = (
    b'<?xml version="1.0"?><article xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta>'
    b'<article-id pub-id-type="pmcid">PMC1</article-id><title-group><article-title>T</article-title></title-group>'
    b'</article-meta></front><body><fig id="f1"><label>Figure 1</label><caption><p>C</p></caption>'
    b'<graphic xlink:href="g1.jpg"/></fig></body></article>'
)


def mutations(whole: bytes, number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Spoil a whole file in `number` ways: cut, bits flipped, a stretch of noise, doubled, noise before or behind."""
    chance = random.Random(seed)
    yield "empty", b""
    yield "noise", chance.randbytes(len(whole) or 64)
    for index in range(number):
        spoilt, place = bytearray(whole), chance.randrange(max(1, len(whole)))
        match index % 6:
            case 0:
                yield f"cut at {place}", bytes(spoilt[:place])
            case 1:
                spoilt[place] ^= 1 << chance.randrange(8)
                yield f"bit flipped at {place}", bytes(spoilt)
            case 2:
                spoilt[place : place + 16] = chance.randbytes(16)
                yield f"noise at {place}", bytes(spoilt)
            case 3:
                spoilt[place:place] = spoilt
                yield f"doubled at {place}", bytes(spoilt)
            case 4:
                yield f"noise before ({place})", chance.randbytes(8) + whole
            case _:
                spoilt[place : place + 64] = bytes(64)
                yield f"zeros at {place}", bytes(spoilt)


def image_of(format_: str, mode: str, **options: object) -> bytes:
    """Encode one small picture."""
    gradient = Image.linear_gradient("L").resize(SIDES_PX)
    picture = gradient.convert("RGB").convert(mode) if mode not in ("L", "I;16") else gradient.convert(mode)
    content = io.BytesIO()
    picture.save(content, format_, **options)
    return content.getvalue()


def whole_images() -> dict[str, bytes]:
    """Images that are whole, of every kind that articles have: all must be read."""
    frames = [Image.new("RGB", SIDES_PX, colour) for colour in ("red", "green", "blue")]
    many = {"save_all": True, "append_images": frames[1:]}
    animated, pages = io.BytesIO(), io.BytesIO()
    frames[0].save(animated, "GIF", **many)
    frames[0].save(pages, "TIFF", **many)
    return {
        "jpeg": image_of("JPEG", "RGB"),
        "jpeg cmyk": image_of("JPEG", "CMYK"),
        "jpeg progressive": image_of("JPEG", "RGB", progressive=True),
        "png": image_of("PNG", "RGB"),
        "png 16 bit": image_of("PNG", "I;16"),
        "png alpha": image_of("PNG", "RGBA"),
        "gif animated": animated.getvalue(),
        "tiff cmyk": image_of("TIFF", "CMYK"),
        "tiff of three pages": pages.getvalue(),
        "webp": image_of("WEBP", "RGB"),
        "bmp": image_of("BMP", "RGB"),
    }


def bad_images(number: int) -> Iterator[tuple[str, bytes]]:
    """Headers of 100,000 x 100,000 px, bombs, other things under an image's name, and spoilt images."""
    yield "png header of 100,000 x 100,000 px", _png_header(HUGE_PX, HUGE_PX)
    yield "png header of 2^31-1 x 2^31-1 px", _png_header(2**31 - 1, 2**31 - 1)
    yield "bmp header of 100,000 x 100,000 px", _bmp_header(HUGE_PX, HUGE_PX)
    yield "gif header of 65,535 x 65,535 px", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x00\x00\x00;"
    yield "png bomb: 20,000 x 20,000 px in 50 kB", _png_bomb(20_000)
    yield "html under a jpg's name", b"<!doctype html><html><body>404</body></html>"
    yield "pdf under a jpg's name", b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
    yield "3-byte placeholder", b"gif"
    yield "zip under a tif's name", b"PK\x03\x04" + bytes(60)
    for name, whole in whole_images().items():
        for kind, content in mutations(whole, number, seed=len(name)):
            yield f"{name}: {kind}", content


def _png_header(width_px: int, height_px: int) -> bytes:
    return _png([(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)), (b"IDAT", b"")])


def _png_bomb(side_px: int) -> bytes:
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + side_px)) for _ in range(side_px)) + packer.flush()
    return _png([(b"IHDR", struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")])


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    written = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def _bmp_header(width_px: int, height_px: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width_px, height_px, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def bad_xml(number: int) -> Iterator[tuple[str, bytes]]:
    """Entity bombs, entities that reach out, depths, encodings that lie, other documents, and spoilt articles."""
    bomb = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    yield "billion laughs", b'<!DOCTYPE article [<!ENTITY a0 "ha">' + bomb + b"]><article>&a9;</article>"
    yield "external entity", b'<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd">]><article>&x;</article>'
    yield "external DTD", b'<!DOCTYPE article SYSTEM "http://127.0.0.1:9/x.dtd"><article/>'
    yield "100,000 levels deep", b"<article>" + b"<sec>" * 100_000 + b"</sec>" * 100_000 + b"</article>"
    yield "utf-16 that says utf-8", XML.decode().encode("utf-16")
    yield "unknown encoding", XML.replace(b'version="1.0"', b'version="1.0" encoding="x-none"')
    yield "html", b"<html><body>503 Slow Down</body></html>"
    yield "two roots", XML + XML[21:]
    yield "null bytes", XML.replace(b"Figure", b"Fig\x00ure")
    yield from mutations(XML, number)


def whole_tarball() -> bytes:
    return _tar_gz([("PMC1/a.nxml", XML), ("PMC1/g1.jpg", image_of("JPEG", "RGB"))])


def bad_tarballs(number: int) -> Iterator[tuple[str, bytes]]:
    """Members that leave the folder, links, devices, bombs, no article, and spoilt archives."""
    article = ("PMC1/a.nxml", XML)
    yield "../ member", _tar_gz([article, ("PMC1/../../etc/passwd", b"x")])
    yield "absolute member", _tar_gz([article, ("/etc/passwd", b"x")])
    for name, kind in (("symlink", tarfile.SYMTYPE), ("hard link", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE)):
        yield name, _tar_gz([article], [(f"PMC1/{name}", kind)])
    yield "no article", _tar_gz([("PMC1/g1.jpg", b"x")])
    yield "gzip bomb of 300 MiB", _gzip_bomb()
    yield "plain text", b"no tar at all"
    yield "gzip of text", gzip.compress(b"no tar at all")
    for kind, content in mutations(whole_tarball(), number):
        yield kind, content


def _tar_gz(files: list[tuple[str, bytes]], specials: list[tuple[str, bytes]] = []) -> bytes:  # noqa: B006
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, kind in specials:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    return content.getvalue()


def _gzip_bomb() -> bytes:
    packer, parts = zlib.compressobj(9, zlib.DEFLATED, 31), []
    parts += [packer.compress(bytes(2**20)) for _ in range(BOMB_BYTES // 2**20)]
    return b"".join(parts) + packer.flush()


def bad_json(whole: dict[str, object], number: int) -> Iterator[tuple[str, bytes]]:
    """Other types in every field, missing fields, other documents, depths, and spoilt bytes."""
    for name in whole:
        for value in (None, [], {}, -1, 1e308, True, "x" * 10_000, "\x00", "\ud800"):
            yield f"{name} is {str(value)[:10]!r}", json.dumps(whole | {name: value}).encode("utf-8", "surrogatepass")
        yield f"{name} is missing", json.dumps({k: v for k, v in whole.items() if k != name}).encode()
    for text in ("null", "[]", "1", '"x"', "NaN", "{", "[" * 50_000, '{"a":' * 5_000):
        yield f"document {text[:8]}", text.encode()
    yield from mutations(json.dumps(whole).encode(), number)
