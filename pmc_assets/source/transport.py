"""How bytes are asked for: one small interface, and the fsspec implementation of it. Retries stay out."""

import asyncio
import errno
import io
import shutil
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pmc_assets.http_faults import TransientFault
from pmc_assets.source.answers import Body, DiskFault, Missing, Refused, md5_of

USER_AGENT = "pmc_assets (research pipeline for the PMC Open Access Subset)"

Admit = Callable[[int], Awaitable[None]]


class Transport(Protocol):
    """Asks for one object under a root, once.

    `get` awaits `admit(size_bytes)` as soon as the size is known and before the body is read.
    Raises: Missing, Refused, TransientFault, DiskFault, and what `admit` raises.
    """

    url: str

    async def get(self, key: str, admit: Admit, into: Path | None = None) -> Body:
        """Give one object; with `into` its bytes go to that file and the body is empty."""
        ...

    async def exists(self, key: str) -> bool: ...

    async def list_names(self, folder: str) -> list[str]:
        """List the names directly under a folder, sorted. Empty: [] where there is none."""
        ...

    async def close(self) -> None: ...


class FsspecTransport:
    """Any file system of fsspec, asked in threads: local folders, and schemes without a faster way."""

    def __init__(self, url: str, connections: int) -> None:
        self.url = url.rstrip("/")
        self._fs, self._root = fsspec.url_to_fs(self.url)
        self._is_local = isinstance(self._fs, LocalFileSystem)
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="fetch")

    async def get(self, key: str, admit: Admit, into: Path | None = None) -> Body:
        path = f"{self._root}/{safe_key(key)}"
        await admit(await self._call(self._fs.size, path) or 0)
        if into is None:
            content = await self._call(self._fs.cat_file, path)
            md5 = md5_of(content) if self._is_local else ""
            return Body(content, etag=md5, md5=md5)
        await self._call(self._copy, path, into)
        return Body(b"")

    def _copy(self, path: str, into: Path) -> None:
        with self._fs.open(path, "rb") as file, open_own(into) as own:
            shutil.copyfileobj(file, own)

    async def exists(self, key: str) -> bool:
        return await self._call(self._fs.exists, f"{self._root}/{safe_key(key)}")

    async def list_names(self, folder: str) -> list[str]:
        try:
            found = await self._call(self._fs.ls, f"{self._root}/{folder}".rstrip("/"), False)
        except Missing:
            return []
        return sorted(PurePosixPath(path).name for path in found)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Callable[..., Any], *arguments: object) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise Missing(str(error)) from error
        except PermissionError as error:
            raise Refused(str(error)) from error
        except OSError as error:
            if error.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
                raise Missing(str(error)) from error
            raise TransientFault(f"{type(error).__name__}: {error}") from error


class _OwnFile(io.FileIO):
    """A file whose faults are not the source's."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError as error:
            raise _disk_fault(self.name, error) from error


def open_own(path: Path) -> IO[bytes]:
    """Open a file on our own disk for writing. Raises, as writing and closing it do: DiskFault."""
    try:
        return io.BufferedWriter(_OwnFile(path, "wb"))
    except OSError as error:
        raise _disk_fault(path, error) from error


def _disk_fault(path: object, error: OSError) -> DiskFault:
    return DiskFault(f"{path} cannot be written ({error.strerror}): make room on its disk, then run again")


def safe_key(key: str) -> str:
    """Give a key that stays below its root. Raises: Refused for `..`, empty and absolute parts."""
    if any(part in {"", ".", ".."} for part in key.split("/")) or "\x00" in key:
        raise Refused(f"key {key!r} leaves the source's root")
    return key
