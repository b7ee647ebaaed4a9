"""A torch loader that streams chosen samples of shards: by offsets, shuffled, resumable, over workers and ranks."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from pmc_assets.lake import Lake
from pmc_assets.shards.images import ImageReader
from pmc_assets.shards.selection import MEMBERS, LoaderSelection, epoch_order, find_samples, share_of

Sample = dict[str, Any]


class StateMismatch(ValueError):
    """A loader's state belongs to other samples, another seed or another number of ranks."""


def raw_sample(key: str, image: bytes, text: bytes, json_: bytes) -> Sample:
    """Give a sample's members undecoded, named as webdataset names them."""
    return {"__key__": key, "jpg": image, "txt": text, "json": json_}


def decoded_sample(key: str, image: bytes, text: bytes, json_: bytes) -> Sample:
    """Give a sample with its image as a uint8 RGB tensor (3 × height × width, px), caption and JSON."""
    with Image.open(io.BytesIO(image)) as picture:
        pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)
    return {"__key__": key, "image": pixels, "caption": text.decode(), "json": json.loads(json_)}


class ShardDataset(IterableDataset):
    """The selected samples of one rank and epoch, from `start` on; `batch_size` must be the DataLoader's."""

    def __init__(
        self,
        selection: LoaderSelection,
        *,
        transform: Callable[[str, bytes, bytes, bytes], Any] = decoded_sample,
        is_shuffled: bool = True,
        seed: int = 0,
        epoch: int = 0,
        start: int = 0,
        rank: int = 0,
        world_size: int = 1,
        batch_size: int = 1,
    ) -> None:
        self.selection = selection
        self.transform = transform
        self.is_shuffled, self.seed, self.epoch, self.start = is_shuffled, seed, epoch, start
        self.rank, self.world_size, self.batch_size = rank, world_size, batch_size

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        order = epoch_order(len(self.selection), seed=self.seed, epoch=self.epoch, is_shuffled=self.is_shuffled)
        share = list(
            share_of(
                order,
                rank=self.rank,
                world_size=self.world_size,
                start=self.start,
                worker=info.id if info else 0,
                workers=info.num_workers if info else 1,
                batch_size=self.batch_size,
            )
        )
        places = self.selection.places
        shards, shard_of = self.selection.shards, self.selection.shard_of
        wanted = (
            (shards[shard_of[i]], int(places["sample_offset_bytes"][i]), int(places["sample_size_bytes"][i]))
            for i in share
        )
        with ImageReader(Lake(self.selection.root)) as reader:
            for index, content in zip(share, reader.read_all(wanted), strict=True):
                yield self.transform(self.selection.keys[index].as_py(), *self._members(index, content))

    def _members(self, index: int, content: bytes) -> Iterator[bytes]:
        places = self.selection.places
        begin = places["sample_offset_bytes"][index]
        for member in MEMBERS:
            offset = int(places[f"{member}_offset_bytes"][index] - begin)
            yield content[offset : offset + int(places[f"{member}_size_bytes"][index])]


class ShardLoader:
    """Batches of selected samples, epoch after epoch; `state_dict` says where it is, in mid-epoch too.

    Each `iter()` goes on from the state: after a full epoch it begins the next. With several ranks, every rank makes
    its own loader with the same arguments but `rank`; together they give every selected sample exactly once an epoch.
    `where` filters by the columns of the shards' indexes; nothing is filtered unless it is asked for.
    """

    def __init__(
        self,
        root: str,
        *,
        where: str = "true",
        batch_size: int = 32,
        num_workers: int = 0,
        rank: int = 0,
        world_size: int = 1,
        seed: int = 0,
        is_shuffled: bool = True,
        transform: Callable[[str, bytes, bytes, bytes], Any] = decoded_sample,
        collate_fn: Callable[[list], Any] = list,
    ) -> None:
        self.selection = find_samples(root, where)
        self.batch_size, self.num_workers = batch_size, num_workers
        self.rank, self.world_size, self.seed, self.is_shuffled = rank, world_size, seed, is_shuffled
        self.transform, self.collate_fn = transform, collate_fn
        self.epoch = self.consumed = 0

    @property
    def samples_per_epoch(self) -> int:
        """How many samples this rank sees in an epoch."""
        return len(range(self.rank, len(self.selection), self.world_size))

    def __iter__(self) -> Iterator[Any]:
        dataset = ShardDataset(
            self.selection,
            transform=self.transform,
            is_shuffled=self.is_shuffled,
            seed=self.seed,
            epoch=self.epoch,
            start=self.consumed,
            rank=self.rank,
            world_size=self.world_size,
            batch_size=self.batch_size,
        )
        loader: DataLoader = DataLoader(
            dataset, batch_size=self.batch_size, num_workers=self.num_workers, collate_fn=self.collate_fn
        )
        for batch in loader:
            self.consumed = min(self.consumed + self.batch_size, self.samples_per_epoch)
            yield batch
        self.epoch, self.consumed = self.epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """Give what `load_state_dict` needs to go on with the next batch."""
        return {
            "epoch": self.epoch,
            "consumed": self.consumed,
            "seed": self.seed,
            "world_size": self.world_size,
            "is_shuffled": self.is_shuffled,
            "fingerprint": self.selection.fingerprint,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken.

        Raises: StateMismatch when shards, condition, seed or ranks are not those of the state.
        """
        own = self.state_dict()
        differing = [name for name in own if name not in ("epoch", "consumed") and own[name] != state[name]]
        if differing:
            raise StateMismatch(f"the state differs in {', '.join(differing)}: use the arguments that it was made with")
        self.epoch, self.consumed = state["epoch"], state["consumed"]
