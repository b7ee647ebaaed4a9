"""Blocks: whatever the pieces are, the file holds them one after the other."""

import random
from pathlib import Path

import pytest

from pmc_assets.blocks import BLOCK_BYTES, BlockWriter, allocate


@pytest.mark.parametrize("offset", [0, 512, BLOCK_BYTES - 1, 3 * BLOCK_BYTES + 7])
@pytest.mark.parametrize("most_bytes", [1_000, BLOCK_BYTES, 5 * BLOCK_BYTES])
def test_pieces_are_written_whole_and_in_order(tmp_path: Path, offset: int, most_bytes: int) -> None:
    rng = random.Random(offset + most_bytes)
    pieces = [rng.randbytes(rng.randrange(most_bytes)) for _ in range(12)]
    file = (tmp_path / "file").open("wb")
    with file, BlockWriter(file.fileno(), offset) as writer:
        for piece in pieces:
            writer.room(len(piece))[:] = piece
    assert (tmp_path / "file").read_bytes() == bytes(offset) + b"".join(pieces)


def test_stretch_that_fails_is_not_finished(tmp_path: Path) -> None:
    file = (tmp_path / "file").open("wb")
    with file, pytest.raises(ZeroDivisionError), BlockWriter(file.fileno()) as writer:
        writer.room(3)[:] = b"abc"
        raise ZeroDivisionError
    assert (tmp_path / "file").read_bytes() == b""


def test_allocated_file_has_its_size(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        allocate(file.fileno(), 1_234)
    assert (tmp_path / "file").stat().st_size == 1_234
