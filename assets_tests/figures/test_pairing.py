"""Each graphic meets the file that it means: best readable candidate, twins once, every other graphic a reject."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pmc_assets import schema
from pmc_assets.figures.pairing import pair_images
from pmc_assets.figures.parse import StalePackages, packaged_articles
from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.files import StoredFile
from pmc_assets.rejects import Reject

KEY = {"pmcid": "PMC1", "version": 1}


def picture(kind: str, side_px: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((side_px, side_px)).save(buffer, kind)
    return buffer.getvalue()


def figure(*refs: str, kind: str = "figure", element: str = "graphic") -> dict:
    graphics = [
        {"graphic_index": n, "alternative_index": 0, "graphic_ref": ref, "element": element, "mime_type": "video/mp4"}
        for n, ref in enumerate(refs)
    ]
    return {"figure_index": 0, "kind": kind, "graphics": graphics}


def pair(contents: dict[str, bytes], *figures: dict, is_media_offered: bool = True) -> list[dict | Reject]:
    files = {name: StoredFile(name, "media", len(c), "part-00000.tar", 512) for name, c in contents.items()}
    read: Callable[[StoredFile], bytes] = lambda file: contents[file.name]  # noqa: E731
    return list(pair_images(KEY, list(figures), files, read, is_media_offered))


def test_every_graphic_of_a_figure_gives_a_row() -> None:
    images = pair({"a.jpg": picture("JPEG"), "b.png": picture("PNG")}, figure("a.jpg", "b"))
    assert [(i["graphic_index"], i["image_name"], i["format"]) for i in images] == [
        (0, "a.jpg", "jpeg"),
        (1, "b.png", "png"),
    ]


def test_gif_twin_of_a_jpg_is_one_image() -> None:
    images = pair({"a.gif": picture("GIF", 32), "a.jpg": picture("JPEG", 300)}, figure("a"))
    assert [i["image_name"] for i in images] == ["a.jpg"]


def test_twin_stands_in_for_an_unreadable_file() -> None:
    images = pair({"a.gif": picture("GIF"), "a.jpg": b"\xff\xd8\xff" + b"x" * 5000}, figure("a"))
    assert [i["image_name"] for i in images] == ["a.gif"]


@pytest.mark.parametrize("content", [b"", b"GIF", picture("JPEG")[:-200], picture("PNG")[:-60]])
def test_unreadable_image_is_a_reject(content: bytes) -> None:
    (reject,) = pair({"a.jpg": content}, figure("a.jpg"))
    assert isinstance(reject, Reject) and reject.reason == "image_unreadable" and reject.name == "0/0 a.jpg"


def test_unresolved_graphic_says_whether_the_source_offers_media() -> None:
    (offered,) = pair({}, figure("a.jpg"))
    (kept_out,) = pair({}, figure("a.jpg"), is_media_offered=False)
    assert isinstance(offered, Reject) and isinstance(kept_out, Reject)
    assert (offered.reason, kept_out.reason) == ("graphic_unresolved", "media_not_offered")


def test_a_video_is_not_an_image() -> None:
    (reject,) = pair({}, figure("a.mp4", element="media"))
    assert isinstance(reject, Reject) and reject.reason == "not_an_image" and "video/mp4" in reject.detail


def test_a_formula_without_a_stored_file_is_not_listed() -> None:
    assert pair({}, figure("eq1.gif", kind="formula")) == []
    assert len(pair({"eq1.gif": picture("GIF")}, figure("eq1.gif", kind="formula"))) == 1


def test_files_of_an_article_that_the_file_list_lost_are_named(tmp_path: Path) -> None:
    lake, cell = Lake(str(tmp_path)), Partition.of(license_group="other", batch="PMC00000xxxx")
    file = {"name": "PMC1.1.xml", "role": "xml", "md5": "", "part_path": "part-00000.tar", "size_bytes": 1}
    rows = schema.RAW_PACKAGES.from_rows([KEY | file | {"offset_bytes": 0}])
    lake.write_table(schema.RAW_PACKAGES, rows, cell)
    with pytest.raises(StalePackages, match="PMC1.1.*rerun raw/packages"):
        packaged_articles(lake, cell)
