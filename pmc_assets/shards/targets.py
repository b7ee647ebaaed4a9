"""Where a data set is published: a dataset repository of the Hugging Face Hub, or any fsspec URL."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pmc_assets.shards.manifest import MANIFEST_NAME, FileFacts, Manifest, manifest_bytes, parse_manifest

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB_PREFIX = "hf://datasets/"
UPLOADING = ".uploading"
CHECKPOINT_BYTES = 4 * 2**30
FILES_PER_COMMIT = 50

LocalFile = Callable[[str], contextlib.AbstractContextManager[Path]]
Progress = Callable[[str, int], None]


class UploadIncomplete(OSError):
    """A file at the target has another size than its source after the upload."""


class Target(Protocol):
    """A place to publish to. `put` uploads in order and records what is complete, so that it can be resumed."""

    def manifest(self) -> Manifest: ...
    def present(self) -> dict[str, int]: ...
    def put(
        self, source: Manifest, published: Manifest, uploads: list[str], local: LocalFile, done: Progress
    ) -> None: ...
    def finish(self, source: Manifest, deletes: list[str]) -> None: ...


class FsspecTarget:
    """A folder or bucket; the manifest is written before, every 4 GiB, and at the end."""

    def __init__(self, url: str) -> None:
        self.fs, root = fsspec.url_to_fs(url)
        self.root = root.rstrip("/")
        self.is_local = isinstance(self.fs, LocalFileSystem)

    def manifest(self) -> Manifest:
        path = f"{self.root}/{MANIFEST_NAME}"
        self.fs.invalidate_cache()
        return parse_manifest(self.fs.cat_file(path) if self.fs.exists(path) else b"")

    def present(self) -> dict[str, int]:
        self.fs.invalidate_cache()
        if not self.fs.exists(self.root):
            return {}
        files = self.fs.find(self.root, detail=True)
        return {path.removeprefix(self.root + "/"): int(info["size"] or 0) for path, info in files.items()}

    def put(self, source: Manifest, published: Manifest, uploads: list[str], local: LocalFile, done: Progress) -> None:
        known = published | {path: FileFacts(source[path].size_bytes, "") for path in uploads}
        self._write_manifest(known)
        unrecorded = 0
        for path in uploads:
            with local(path) as file:
                self._put_file(file, path)
            known[path] = source[path]
            unrecorded += source[path].size_bytes
            if unrecorded >= CHECKPOINT_BYTES:
                self._write_manifest(known)
                unrecorded = 0
            done(path, source[path].size_bytes)

    def _put_file(self, file: Path, path: str) -> None:
        full = f"{self.root}/{path}"
        with self._whole(full) as uploading:
            self.fs.put_file(str(file), uploading)
        self.fs.invalidate_cache()
        if self.fs.size(full) != file.stat().st_size:
            raise UploadIncomplete(f"{full} has not the size of its source: publish again")

    def finish(self, source: Manifest, deletes: list[str]) -> None:
        for path in deletes:
            for name in (path, path + UPLOADING):
                with contextlib.suppress(FileNotFoundError):
                    self.fs.rm_file(f"{self.root}/{name}")
        self._write_manifest(source)

    def _write_manifest(self, manifest: Manifest) -> None:
        self.fs.makedirs(self.root, exist_ok=True)
        with self._whole(f"{self.root}/{MANIFEST_NAME}") as uploading:
            self.fs.pipe_file(uploading, manifest_bytes(manifest))

    @contextlib.contextmanager
    def _whole(self, full: str) -> Iterator[str]:
        """Give the path to write a file to: on a disk, one that is renamed at the end (buckets show whole files)."""
        if not self.is_local:
            yield full
            return
        self.fs.makedirs(full.rpartition("/")[0], exist_ok=True)
        yield full + UPLOADING
        self.fs.mv(full + UPLOADING, full)


class HubTarget:
    """A dataset repository: commits of at most 50 files, each with the manifest of what is then complete."""

    def __init__(self, repo_id: str, api: "HfApi") -> None:
        self.repo_id, self.api = repo_id, api

    def manifest(self) -> Manifest:
        if MANIFEST_NAME not in self.present():
            return {}
        path = self.api.hf_hub_download(self.repo_id, MANIFEST_NAME, repo_type="dataset")
        return parse_manifest(Path(path).read_bytes())

    def present(self) -> dict[str, int]:
        if not self.api.repo_exists(self.repo_id, repo_type="dataset"):
            return {}
        entries = self.api.list_repo_tree(self.repo_id, recursive=True, repo_type="dataset")
        return {entry.path: entry.size for entry in entries if hasattr(entry, "size")}

    def put(self, source: Manifest, published: Manifest, uploads: list[str], local: LocalFile, done: Progress) -> None:
        self.api.create_repo(self.repo_id, repo_type="dataset", exist_ok=True)
        known = dict(published)
        for start in range(0, len(uploads), FILES_PER_COMMIT):
            paths = uploads[start : start + FILES_PER_COMMIT]
            known |= {path: source[path] for path in paths}
            with contextlib.ExitStack() as stack:
                self._commit({path: stack.enter_context(local(path)) for path in paths}, [], known)
            for path in paths:
                done(path, source[path].size_bytes)

    def finish(self, source: Manifest, deletes: list[str]) -> None:
        present = self.present()
        self._commit({}, [path for path in deletes if path in present], source)

    def _commit(self, files: dict[str, Path], deletes: Iterable[str], manifest: Manifest) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

        operations: list[CommitOperationAdd | CommitOperationDelete | CommitOperationCopy] = [
            *(CommitOperationAdd(path, str(file)) for path, file in files.items()),
            *(CommitOperationDelete(path) for path in deletes),
            CommitOperationAdd(MANIFEST_NAME, manifest_bytes(manifest)),
        ]
        message = f"Publish {len(files)} files" if files else "Finish the publication"
        self.api.create_commit(self.repo_id, operations, commit_message=message, repo_type="dataset")


def open_target(url: str) -> Target:
    """Open a target: `hf://datasets/<owner>/<name>` (token from huggingface_hub's login) or any fsspec URL."""
    if url.startswith(HUB_PREFIX):
        from huggingface_hub import HfApi

        return HubTarget(url.removeprefix(HUB_PREFIX).rstrip("/"), HfApi())
    return FsspecTarget(url)
