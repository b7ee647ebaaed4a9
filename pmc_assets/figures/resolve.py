"""From a graphic's href to the stored files that it may mean. Opens no file: names and sizes only."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote

IMAGE_EXTENSIONS = ("jpg", "jpeg", "png", "tif", "tiff", "gif", "webp", "bmp")
"""Formats that can be an image of the lake, in the order of preference between files of one stem and size."""

_REDRAWN_EXTENSIONS = frozenset(("eps", "svg", "pdf", "ps", "ai", "wmf", "emf", "jp2", "tga"))
_OTHER_MEDIA_EXTENSIONS = frozenset(
    (
        *("mp4", "mov", "avi", "mpg", "mpeg", "wmv", "flv", "mkv", "webm", "m4v", "mp3", "wav"),
        *("xls", "xlsx", "doc", "docx", "ppt", "pptx", "csv", "txt", "rtf", "xml", "html", "htm", "json"),
        *("zip", "gz", "tar", "rar", "pdb", "cif", "mol"),
    )
)
_PREFERENCE = {extension: place for place, extension in enumerate(IMAGE_EXTENSIONS)}


class FileIndex:
    """The file names of one article's package, prepared for many hrefs."""

    def __init__(self, names: Iterable[str]):
        self.names = frozenset(names)
        self._by_lower_name: dict[str, list[str]] = defaultdict(list)
        self._images_by_stem: dict[str, list[str]] = defaultdict(list)
        self._images_by_lower_stem: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.names):
            self._by_lower_name[_folded(name)].append(name)
            stem, extension = _split(name)
            if extension in _PREFERENCE:
                self._images_by_stem[stem].append(name)
                self._images_by_lower_stem[_folded(stem)].append(name)

    def named(self, graphic_ref: str) -> list[str]:
        """Find the one file of that very name: as written, percent-decoded, in another letter case or composition.

        Empty: [] where there is none, and where several differ in case only.
        """
        readings = _readings(graphic_ref)
        for reading in readings:
            if reading in self.names:
                return [reading]
        for reading in readings:
            matches = self._by_lower_name.get(_folded(reading), [])
            if len(matches) == 1:
                return matches
        return []

    def of_same_stem(self, graphic_ref: str) -> list[str]:
        """List the images of the href's stem by preference of format; [] where two stems differ in case only."""
        for reading in _readings(graphic_ref):
            stem, extension = _split(reading)
            if extension in _OTHER_MEDIA_EXTENSIONS:
                continue
            images = self._images_by_stem.get(stem) or self._images_by_lower_stem.get(_folded(stem), [])
            if images and len({_split(name)[0] for name in images}) == 1:
                return sorted(images, key=_preference)
        return []


def resolve_graphic(graphic_ref: str, index: FileIndex) -> list[str]:
    """List the files that an href may mean, best first.

    Source: PMC's layout: the exact name, else percent-decoded, else in another case, else images of the same stem.
    Shape: the file of that very name leads; other formats of its stem follow by preference (jpg before gif).
    Empty: [] when nothing matches, and when several names match that differ in case only.
    """
    return list(dict.fromkeys(index.named(graphic_ref) + index.of_same_stem(graphic_ref)))


def rank_alternatives(
    alternatives: list[dict], index: FileIndex, sizes_bytes: Mapping[str, int]
) -> list[tuple[str, str]]:
    """Order the files of one graphic, all its alternatives together, as (graphic_ref, name), best first.

    Shape: images by format that can be decoded before other files, files that are cited by name before twins of the
        same stem, then the largest; ties by preference of format, then in the article's order.
    Empty: [] when no alternative matches a file.
    """
    ranked: list[tuple[tuple, tuple[str, str]]] = []
    for place, alternative in enumerate(alternatives):
        graphic_ref = alternative["graphic_ref"]
        named = index.named(graphic_ref)
        for name in dict.fromkeys(named + index.of_same_stem(graphic_ref)):
            is_image = _split(name)[1] in _PREFERENCE
            rank = (not is_image, name not in named, -sizes_bytes.get(name, 0), _preference(name), place)
            ranked.append((rank, (graphic_ref, name)))
    ordered: dict[str, tuple[str, str]] = {}
    for _, (graphic_ref, name) in sorted(ranked):
        ordered.setdefault(name, (graphic_ref, name))
    return list(ordered.values())


def _folded(name: str) -> str:
    """Give a name without regard to letter case and to how its accents are composed (NFC, NFD)."""
    return name.lower() if name.isascii() else normalize("NFC", name).lower()


def _readings(graphic_ref: str) -> list[str]:
    """Give the names that an href can mean: as written, its last path segment, both also percent-decoded."""
    base = graphic_ref.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    readings = [graphic_ref, base, unquote(graphic_ref), unquote(base).rsplit("/", 1)[-1], base.split("?", 1)[0]]
    whole, mark, _ = base.rpartition("#")
    if mark and _split(whole)[1]:
        readings.append(whole)
    return [reading.strip() for reading in dict.fromkeys(readings) if reading.strip()]


def _split(name: str) -> tuple[str, str]:
    """Split a name into stem and extension in lower case; `pone.0001.g001` has no extension."""
    path = PurePosixPath(name)
    extension = path.suffix[1:].lower()
    if extension in _PREFERENCE or extension in _REDRAWN_EXTENSIONS or extension in _OTHER_MEDIA_EXTENSIONS:
        return path.name[: -len(extension) - 1], extension
    return path.name, ""


def _preference(name: str) -> int:
    return _PREFERENCE.get(_split(name)[1], len(_PREFERENCE))
