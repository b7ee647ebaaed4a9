"""Locks on a local disk that die with their process: private folders of writers, one writer per partition."""

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

LOCK = ".lock"


@contextlib.contextmanager
def hold_lock(path: Path, is_patient: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock on a file; the file is there only while somebody holds or wants it.

    Waits for it, or, not `is_patient`, gives False at once where another process holds it.
    """
    while True:
        with contextlib.suppress(FileExistsError):  # exist_ok would look again, at a folder that may be gone by then
            path.parent.mkdir(parents=True)
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(path.open("w"))
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(file, fcntl.LOCK_EX if is_patient else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            if not _is_same_file(path, file.fileno()):
                continue
            try:
                yield True
            finally:
                path.unlink(missing_ok=True)
                _remove_if_empty(path.parent)
            return


@contextlib.contextmanager
def private_folder(base: Path) -> Iterator[Path]:
    """Give a new folder under `base`, removed at the end; folders whose process is dead are swept first."""
    sweep_dead(base)
    folder = base / uuid.uuid4().hex
    with hold_lock(base / f"{folder.name}{LOCK}"):
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def find_locks(folder: Path) -> list[Path]:
    """List the lock files of a folder. Empty: [] where it is not there, or where its last user removes it just now."""
    try:
        return sorted(folder.glob(f"*{LOCK}"))
    except FileNotFoundError:
        return []


def sweep_dead(base: Path) -> None:
    """Remove the private folders and locks of dead processes (their lock is free)."""
    for lock in find_locks(base):
        try:
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_same_file(lock, file.fileno()):
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                    lock.unlink(missing_ok=True)
        except (FileNotFoundError, BlockingIOError):
            continue
    _remove_if_empty(base)


def _is_same_file(path: Path, descriptor: int) -> bool:
    """Say whether the locked file is still the one at its path, not one that its last holder removed."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
