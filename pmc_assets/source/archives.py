"""Read the wanted files of one legacy tarball as a stream; nothing is ever extracted to disk."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from isal import igzip, isal_zlib

from pmc_assets.source.answers import TooLarge
from pmc_assets.source.source import ChooseMedia

MAX_UNPACKED_BYTES = 4 * 2**30
READ_OUT_BYTES = 2**20
MAX_MEMBERS = 50_000
MAX_HEADER_BYTES = 2**20
XML_SUFFIXES = (".nxml", ".xml")
HEADER_TYPES = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)


class BadArchive(Exception):
    """The tarball cannot be read to its end, or holds no article."""


@dataclass(slots=True)
class Unpacked:
    """The article's XML, the chosen media by name, and the members left out as (name, reason, detail)."""

    xml_name: str
    xml: bytes
    media: dict[str, bytes] = field(default_factory=dict)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)


def unpack_article(
    path: Path,
    choose_media: ChooseMedia,
    max_file_bytes: int,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
) -> Unpacked:
    """Read the XML of a tarball, then, in a second pass, the media that it asks for.

    Source: `oa_package/xx/yy/PMC*.tar.gz`: one folder with one .nxml and its files.
    Raises: BadArchive, TooLarge (the whole unpacks to more than the limit, or a header is a bomb).
    """
    try:
        unpacked, names = _read_xml(path, max_file_bytes, max_unpacked_bytes)
        chosen = set(choose_media(unpacked.xml, names))
        if chosen:
            unpacked.media = _read_media(path, chosen, max_file_bytes, max_unpacked_bytes)
    except (tarfile.TarError, EOFError, OSError, isal_zlib.IsalError, ValueError) as error:  # type: ignore[misc]
        raise BadArchive(f"{type(error).__name__}: {error}") from error
    return unpacked


def _read_xml(path: Path, max_file_bytes: int, max_unpacked_bytes: int) -> tuple[Unpacked, list[str]]:
    """Read the article and the names of all other files that may be read."""
    best: tuple[str, bytes] | None = None
    names: dict[str, None] = {}
    left_out: list[tuple[str, str, str]] = []
    with _open(path, max_unpacked_bytes) as archive:
        for number, member in enumerate(archive):
            if number >= MAX_MEMBERS:
                raise TooLarge(f"more than {MAX_MEMBERS} members")
            fault = _fault(member, max_file_bytes, names)
            if fault is not None:
                left_out.append((_readable(member.name), *fault))
            elif member.isreg():
                names[_name(member)] = None
                is_xml = member.name.lower().endswith(XML_SUFFIXES)
                if is_xml and (best is None or _is_nxml(member.name) > _is_nxml(best[0])):
                    best = _name(member), _content(archive, member)
    if best is None:
        raise BadArchive("no .nxml or .xml in it")
    del names[best[0]]
    return Unpacked(*best, left_out=left_out), list(names)


def _read_media(path: Path, chosen: set[str], max_file_bytes: int, max_unpacked_bytes: int) -> dict[str, bytes]:
    media: dict[str, bytes] = {}
    with _open(path, max_unpacked_bytes) as archive:
        for member in archive:
            if member.isreg() and _name(member) in chosen and _fault(member, max_file_bytes, media) is None:
                media[_name(member)] = _content(archive, member)
    return {name: media[name] for name in sorted(media)}


def _fault(member: tarfile.TarInfo, max_file_bytes: int, seen: Any) -> tuple[str, str] | None:
    """Say why a member must not be read: (reason, detail); None if it may."""
    if member.name.startswith("/") or ".." in PurePosixPath(member.name).parts or "\x00" in member.name:
        return "unsafe_member", "its path leaves the archive"
    if member.isdir():
        return None
    if not member.isreg() or member.issparse():
        return "unsafe_member", "a link, a device or a sparse file"
    if member.size > max_file_bytes:
        return "too_large", f"{member.size} bytes declared, the limit is {max_file_bytes}"
    if _name(member) in seen:
        return "unsafe_member", "a second member of this name"
    return None


def _name(member: tarfile.TarInfo) -> str:
    return PurePosixPath(_readable(member.name)).name


def _readable(name: str) -> str:
    """Give a member's name as text: what is not UTF-8 is Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


def _is_nxml(name: str) -> bool:
    return name.lower().endswith(".nxml")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = file.read() if file is not None else b""
    if len(content) != member.size:
        raise BadArchive(f"{member.name} is cut off")
    return content


@contextmanager
def _open(path: Path, max_unpacked_bytes: int) -> Iterator[tarfile.TarFile]:
    """Open a tarball as a stream; at the end it is read out, since gzip states its checksum behind all members."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = cast(IO[bytes], igzip.GzipFile(fileobj=file)) if is_gzip else file
        bounded = cast(IO[bytes], _BoundedReader(stream, max_unpacked_bytes))
        with tarfile.open(fileobj=bounded, mode="r|", tarinfo=_BoundedTarInfo) as archive:
            yield archive
        while bounded.read(READ_OUT_BYTES):
            pass


class _BoundedReader:
    """Reads on until more than `max_bytes` came out: a bomb's declared sizes are not believed."""

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file, self._left = file, max_bytes

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise TooLarge("unpacks to more than the limit")
        return content


class _BoundedTarInfo(tarfile.TarInfo):
    """A header whose own extension (long name, pax) is of sane size; tarfile would read it into memory whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_BoundedTarInfo":
        header = super().frombuf(buf, encoding, errors)
        if header.type in HEADER_TYPES and header.size > MAX_HEADER_BYTES:
            raise TooLarge(f"a header of {header.size} bytes")
        return header
