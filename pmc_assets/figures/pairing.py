"""Pair each graphic of an article's figures with the stored file that it means, and read the image's facts."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import groupby

from pmc_assets.figures.images import read_image_facts
from pmc_assets.figures.pixels import ImageTooLarge, UnreadableImage
from pmc_assets.figures.resolve import FileIndex, rank_alternatives
from pmc_assets.packages.choose import FETCHED_KINDS
from pmc_assets.packages.files import StoredFile
from pmc_assets.rejects import Reject


def pair_images(
    article_key: dict,
    figures: list[dict],
    files: dict[str, StoredFile],
    read_file: Callable[[StoredFile], bytes],
    is_media_offered: bool,
) -> Iterator[dict | Reject]:
    """Give one image row or one reject per graphic of a figure, in order; alternatives are one graphic.

    A graphic of a kind that is not fetched by default (table, formula) gives a row where its file was stored, and
    nothing where it was not.
    """
    index = FileIndex(files)
    sizes_bytes = {name: file.size_bytes for name, file in files.items()}
    for figure in figures:
        for graphic_index, alternatives in groupby(figure["graphics"], key=lambda graphic: graphic["graphic_index"]):
            key = article_key | {"figure_index": figure["figure_index"], "graphic_index": graphic_index}
            refs = list(alternatives)
            candidates = rank_alternatives(refs, index, sizes_bytes)
            if candidates:
                yield _first_readable(key, candidates, files, read_file)
            elif figure["kind"] in FETCHED_KINDS:
                yield _unresolved(key, refs, is_media_offered)


def _first_readable(
    key: dict,
    candidates: list[tuple[str, str]],
    files: dict[str, StoredFile],
    read_file: Callable[[StoredFile], bytes],
) -> dict | Reject:
    """Take the best candidate (graphic_ref, name) that decodes; the reject names the best one's fault."""
    reject: Reject | None = None
    for graphic_ref, name in candidates:
        file = files[name]
        try:
            facts = read_image_facts(read_file(file))
        except UnreadableImage as error:
            reject = reject or _image_reject(key, "image_unreadable", graphic_ref, f"{name}: {error}")
        except ImageTooLarge as error:
            reject = reject or _image_reject(key, "image_too_large", graphic_ref, f"{name}: {error}")
        else:
            place = {"part_path": file.part_path, "offset_bytes": file.offset_bytes, "size_bytes": file.size_bytes}
            return key | {"graphic_ref": graphic_ref, "image_name": name} | asdict(facts) | place
    assert reject is not None
    return reject


def _unresolved(key: dict, refs: list[dict], is_media_offered: bool) -> Reject:
    graphic_ref = refs[0]["graphic_ref"]
    if all(ref["element"] == "media" for ref in refs):
        return _image_reject(key, "not_an_image", graphic_ref, f"media {refs[0]['mime_type'] or ''}".strip())
    if not is_media_offered:
        return _image_reject(key, "media_not_offered", graphic_ref, "the source offers no media of this version")
    return _image_reject(key, "graphic_unresolved", graphic_ref, "no stored file has this name or stem")


def _image_reject(key: dict, reason: str, graphic_ref: str, detail: str) -> Reject:
    name = f"{key['figure_index']}/{key['graphic_index']} {graphic_ref}"
    return Reject("images", reason, key["pmcid"], key["version"], name, detail)
