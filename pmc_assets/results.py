"""What a stage says of one partition: counts, rejects by reason, bytes, a digest. How it is shown stays out."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from pmc_assets.lake import Written

PREVIEW_ROWS = 5


@dataclass(slots=True)
class StageResult:
    """One stage's result for one table and partition.

    `listed` is what the stage was given, `stored` how many of those it kept, `rejected` the others by reason (always
    listed = stored + sum(rejected)). `rows` are the rows of the table, where a listed record makes several.
    `digest` changes when the content does. `details` are further numbers and words for a reader.
    """

    listed: int
    stored: int
    rejected: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    size_bytes: int = 0
    digest: str = ""
    paths: list[str] = field(default_factory=list)
    details: dict[str, int | float | str | bool] = field(default_factory=dict)
    preview: pa.Table | None = None

    @property
    def is_accounted_for(self) -> bool:
        return self.listed == self.stored + self.rejected.total()

    def add_written(self, written: Written) -> "StageResult":
        """Take rows, bytes, digest and paths from a publication."""
        self.rows, self.size_bytes = written.rows, written.size_bytes
        self.digest, self.paths = written.digest, written.paths
        return self


def count_reasons(rejects: pa.Table) -> Counter[str]:
    """Count the reasons of rows of `core.rejects`."""
    return Counter(rejects.column("reason").to_pylist())
