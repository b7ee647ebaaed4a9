"""The torch loader: only chosen samples are read, each once, over workers and ranks, resumable in mid-epoch."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from shards_lake import SmallLake, load, load_raw, many_articles, write_articles

from pmc_assets.lake import Lake
from pmc_assets.shards.images import ImageReader
from pmc_assets.shards.samples import make_samples
from pmc_assets.shards.selection import NoShards, find_samples
from pmc_assets.shards.write import write_shards


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shards of 90 samples in 5 tars."""
    root = tmp_path_factory.mktemp("loader")
    lake = Lake(str(root))
    [partition] = write_articles(lake, many_articles(30))
    make_samples(lake, partition)
    write_shards(lake, partition, most_samples=20)
    return str(root / "out")


def keys_of(loader: Iterable[list[dict]]) -> list[str]:
    return [sample["__key__"] for batch in loader for sample in batch]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("world_size", [1, 2])
def test_no_sample_twice_and_none_missing(shards: str, workers: int, world_size: int) -> None:
    seen = [
        keys_of(load_raw(shards, batch_size=7, num_workers=workers, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    assert sorted(key for keys in seen for key in keys) == sorted(find_samples(shards).keys.to_pylist())
    alone = keys_of(load_raw(shards, batch_size=7, world_size=world_size))
    assert seen[0] == alone


@pytest.mark.parametrize("workers", [0, 2])
def test_it_goes_on_in_mid_epoch(shards: str, workers: int) -> None:
    def loader(workers: int) -> Any:
        return load_raw(shards, batch_size=8, num_workers=workers, seed=3)

    whole = keys_of(loader(workers))
    first = loader(workers)
    batches = iter(first)
    begun = [sample["__key__"] for _ in range(4) for sample in next(batches)]
    state = first.state_dict()
    resumed = loader(workers)
    resumed.load_state_dict(state)
    assert begun + keys_of(resumed) == whole
    other_count = loader(1)
    other_count.load_state_dict(state)
    assert begun + keys_of(other_count) == whole
    assert resumed.state_dict()["epoch"] == 1


def test_epochs_and_seeds_differ_and_repeat(shards: str) -> None:
    loader = load_raw(shards, batch_size=8)
    first, second = keys_of(loader), keys_of(loader)
    assert first != second and sorted(first) == sorted(second)
    assert keys_of(load_raw(shards, batch_size=8)) == first
    assert keys_of(load_raw(shards, batch_size=8, seed=1)) != first


def test_only_chosen_samples_are_read(shards: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, int, int]] = []
    original = ImageReader.read
    monkeypatch.setattr(ImageReader, "read", lambda self, place: read.append(place) or original(self, place))
    chosen = keys_of(load(shards, where="figure_index = 1 and list_contains(keywords, 'even')"))
    selection = find_samples(shards, "figure_index = 1 and list_contains(keywords, 'even')")
    assert sorted(chosen) == sorted(selection.keys.to_pylist()) and len(chosen) == 15
    assert sum(size for _, _, size in read) == int(selection.places["sample_size_bytes"].sum())


def test_samples_are_decoded(shards: str) -> None:
    [batch] = load(shards, where="sample_key = 'PMC10103_1_f0002_g00'")
    assert batch[0]["image"].shape == (3, 48, 64)
    assert batch[0]["caption"] == "Caption 2 of 3."
    assert batch[0]["json"]["pmcid"] == "PMC10103"


def test_state_of_other_samples_is_refused(shards: str) -> None:
    from pmc_assets.shards.loader import StateMismatch

    state = load(shards).state_dict()
    with pytest.raises(StateMismatch, match="fingerprint"):
        load(shards, where="figure_index = 1").load_state_dict(state)


def test_hive_columns_filter(full_lake: SmallLake) -> None:
    root = full_lake.lake.full_path("out")
    assert find_samples(root, "license_group = 'noncommercial'").keys.to_pylist() == ["PMC10012_1_f0000_g00"]


def test_folder_without_shards_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoShards, match="no .tar"):
        find_samples(str(tmp_path))
