"""Publish the data set: make a target the same as the lake's out layer, moving only what differs."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pmc_assets.lake import Lake
from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.shards.card import render_card
from pmc_assets.shards.manifest import FORMS, Changes, compare, published_files, source_manifest
from pmc_assets.shards.targets import Progress, Target, open_target

DEFAULT_GROUPS = ("commercial", "noncommercial")


class NothingToPublish(ValueError):
    """The lake holds no file of the named groups: publishing would empty the target."""


class UnknownGroup(ValueError):
    """A licence group that does not exist was named."""


def publish(
    lake: Lake,
    target_url: str,
    groups: Sequence[str] = DEFAULT_GROUPS,
    *,
    forms: Sequence[str] = FORMS,
    dry_run: bool = False,
    done: Progress = lambda path, size_bytes: None,
    target: Target | None = None,
) -> Changes:
    """Make a target hold the named licence groups of the lake's out layer, and nothing else that we published.

    The target gets `samples/`, `shards/`, `parquet/`, `jsonl/`, `attributions/`, the card of these groups and
    `manifest.json` (size and sha256 of every file). Group `other` is published only when named. An interrupted
    publication goes on where it was; one of unchanged data moves 0 bytes; files of removed or re-licensed articles,
    and of groups no longer named, are deleted. `done` is told each finished file and its size in bytes.
    Raises: UnknownGroup; NothingToPublish; UploadIncomplete.
    """
    unknown = set(groups) - set(LICENSE_GROUPS)
    if unknown or not groups:
        raise UnknownGroup(f"no licence group {sorted(unknown)}: choose from {', '.join(LICENSE_GROUPS)}")
    target = target or open_target(target_url)
    published = target.manifest()
    files = published_files(lake, groups, forms)
    if not files:
        raise NothingToPublish(f"{lake.url} holds nothing of {', '.join(groups)}: materialise out/ first")
    card = render_card(lake, groups)
    source = source_manifest(lake, files, card, published)
    changes = compare(source, published, target.present() if published else {})
    if not dry_run and (changes.uploads or changes.deletes):
        with lake.scratch() as scratch:
            target.put(source, published, changes.uploads, lambda path: _local(lake, files, card, path, scratch), done)
        target.finish(source, changes.deletes)
    return changes


@contextlib.contextmanager
def _local(lake: Lake, files: dict[str, str], card: dict[str, bytes], path: str, scratch: Path) -> Iterator[Path]:
    if path in files and lake.is_local:
        yield Path(lake.full_path(files[path]))
        return
    copy = scratch / path.replace("/", "_")
    if path in card:
        copy.write_bytes(card[path])
    else:
        lake.fs.get_file(lake.full_path(files[path]), str(copy))
    yield copy
    copy.unlink()
