"""Sort listings of any length by number and version on disk: into ranges of PMCIDs, then range by range."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

IDS_PER_RANGE = 200_000


def sort_listings(listings: Iterable[pa.Table], folder: Path) -> Iterator[pa.Table]:
    """Give the rows of all tables by number of PMCID and version, the latest of equal keys last, range by range.

    Shape: the columns of the listings and `number`. Units: memory holds one table and one range of 200,000 ids.
    """
    folder.mkdir()
    files: dict[int, pa.ipc.RecordBatchStreamWriter] = {}
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    for listing in listings:
        number = pc.utf8_slice_codeunits(listing["pmcid"], 3).cast(pa.int32())
        for of_range, piece in _split(listing.append_column("number", number)):
            if of_range not in files:
                files[of_range] = pa.ipc.new_stream(folder / str(of_range), piece.schema, options=options)
            files[of_range].write_table(piece)
    for of_range in sorted(files):
        files[of_range].close()
        path = folder / str(of_range)
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            rows = stream.read_all()
        path.unlink()
        order = [(name, "ascending") for name in ("number", "version", "last_modified_at", "etag")]
        yield rows.sort_by(order)


def _split(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Cut rows into ranges of ids. Empty: none for no rows."""
    if rows.num_rows == 0:
        return
    ranges = rows["number"].to_numpy() // IDS_PER_RANGE
    order = np.argsort(ranges, kind="stable")
    rows, ranges = rows.take(pa.array(order)), ranges[order]
    starts = np.flatnonzero(np.diff(ranges, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(ranges)], strict=True):
        yield int(ranges[start]), rows.slice(start, end - start)
