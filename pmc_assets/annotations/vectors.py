"""Vectors, one row per image: where they are kept, and their fixed-size lists of float16 as Arrow and NumPy."""

import numpy as np
import pyarrow as pa

from pmc_assets.lake import Partition


def embeddings_partition(partition: Partition, encoder_name: str) -> Partition:
    """Give the cell of `core.embeddings` that holds one encoder's vectors of a cell of images."""
    return Partition.of(encoder=encoder_name, **dict(partition.values))


def vector_column(vectors: np.ndarray) -> pa.FixedSizeListArray:
    """Give (n, d) values as a column of fixed-size float16 lists."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float16).ravel(), pa.float16())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def vector_matrix(column: pa.ChunkedArray) -> np.ndarray:
    """Give a vector column as (n, d) float16 values. Empty: (0, 0)."""
    if not len(column):
        return np.zeros((0, 0), np.float16)
    array = column.combine_chunks()
    return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), -1)
