"""What is published: every file with size and sha256, and what must move for a target to become the same."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pmc_assets.lake import Lake

MANIFEST_NAME = "manifest.json"
FORMS = ("samples", "shards", "parquet", "jsonl", "attributions")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One published file. `sha256` is empty while its upload is not known to be complete.

    `modified_ns` is the source's modification time when it was hashed (0 where it has none): an unchanged file is
    not hashed again.
    """

    size_bytes: int
    sha256: str
    modified_ns: int = 0


Manifest = dict[str, FileFacts]


@dataclass(slots=True)
class Changes:
    """What makes a target the same as the source: paths to upload and to delete, in order."""

    uploads: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    upload_bytes: int = 0
    unchanged: int = 0


def manifest_bytes(manifest: Manifest) -> bytes:
    files = {path: asdict(manifest[path]) for path in sorted(manifest)}
    return json.dumps({"files": files}, indent=0).encode() + b"\n"


def parse_manifest(content: bytes) -> Manifest:
    """Read a manifest. Empty: no files for no content."""
    files = json.loads(content)["files"] if content else {}
    return {path: FileFacts(**facts) for path, facts in files.items()}


def published_files(lake: Lake, groups: Iterable[str], forms: Iterable[str] = FORMS) -> dict[str, str]:
    """List the files of the lake to publish: path at the target to path inside the lake, in order."""
    paths = [
        path for form in forms for group in sorted(groups) for path in lake.find(f"out/{form}/license_group={group}")
    ]
    return {path.removeprefix("out/"): path for path in paths}


def source_manifest(lake: Lake, files: dict[str, str], extras: dict[str, bytes], known: Manifest) -> Manifest:
    """Hash what is to be published: files of the lake, and contents made for the target (the card)."""
    manifest = {target: _facts(lake, path, known.get(target)) for target, path in files.items()}
    return manifest | {
        target: FileFacts(len(content), hashlib.sha256(content).hexdigest()) for target, content in extras.items()
    }


def _facts(lake: Lake, path: str, known: FileFacts | None) -> FileFacts:
    modified_ns = Path(lake.full_path(path)).stat().st_mtime_ns if lake.is_local else 0
    size_bytes = lake.size_bytes(path)
    if known and modified_ns and (known.size_bytes, known.modified_ns) == (size_bytes, modified_ns) and known.sha256:
        return known
    with lake.open(path) as file:
        return FileFacts(size_bytes, hashlib.file_digest(file, "sha256").hexdigest(), modified_ns)  # type: ignore[arg-type]


def compare(source: Manifest, published: Manifest, present: dict[str, int]) -> Changes:
    """Find what must move: files that the target lacks or has with other bytes, and those that it must lose.

    `present` are the target's files with their sizes in bytes. Only files that a manifest of ours lists are deleted.
    """
    changes = Changes()
    for path, facts in source.items():
        there = published.get(path)
        if there and there.sha256 == facts.sha256 and present.get(path) == facts.size_bytes:
            changes.unchanged += 1
        else:
            changes.uploads.append(path)
            changes.upload_bytes += facts.size_bytes
    changes.deletes = sorted(path for path in published if path not in source)
    return changes
