"""Records that are left out: the closed list of stages and reasons, and the row that says so."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

import pyarrow as pa

from pmc_assets import schema
from pmc_assets.batches import article_order
from pmc_assets.lake import Lake, Partition
from pmc_assets.results import PREVIEW_ROWS, StageResult

REASONS = {
    "inventory": {
        "bad_inventory_row": "The row's key is not a metadata object or is listed twice, or a column cannot be read",
    },
    "article_versions": {
        "metadata_missing": "The inventory lists the metadata object, the source answers that there is none",
        "metadata_unreadable": "The metadata is not JSON, or lacks pmcid, version or flags",
    },
    "filelists": {
        "not_open_access": "In the bucket, but not in the open access subset",
        "removed": "The version vanished from the source",
    },
    "packages": {
        "not_preferred": "Another version of the article is preferred",
        "xml_missing": "The article's XML is not on offer or answers 404",
        "media_missing": "A cited media file is listed but answers 404",
        "md5_mismatch": "The bytes are not those that the metadata promises, after retries",
        "too_large": "The file, or its declared size, is over the limit",
        "bad_archive": "The tarball cannot be read, is a bomb, or holds no article",
        "unsafe_member": "A tar member with an absolute path, `..`, a link or a device",
        "refused": "The source refused the request for good (4xx)",
        "unanswered": "The source failed for this file at every attempt while it answered others; a rerun fetches it",
    },
    "articles": {
        "bad_xml": "The XML cannot be read as one JATS article",
    },
    "images": {
        "graphic_unresolved": "No file of the package matches the graphic's href",
        "media_not_offered": "The licence or the source keeps all media of this article out",
        "image_unreadable": "The bytes cannot be decoded as an image",
        "image_too_large": "More pixels than the limit: a decompression bomb",
        "not_an_image": "The graphic points at a file that is no picture (video, PDF, EPS)",
    },
    "pubmed_records": {
        "record_missing": "PubMed does not answer for this PMID",
        "record_is_book": "The PMID is a book or chapter",
        "record_unreadable": "PubMed's record cannot be read",
        "record_not_fetched": "EFetch is off or did not answer: the next run asks again",
    },
    "embeddings": {
        "image_unreadable": "The encoder's decode failed",
    },
    "samples": {
        "caption_empty": "The image's figure has no caption",
    },
    "shards": {
        "image_unreadable": "The image cannot be transcoded to JPEG",
    },
}


@dataclass(frozen=True, slots=True)
class Reject:
    """One record that a stage left out. `name` says what of the article: a file, a graphic, a PMID."""

    stage: str
    reason: str
    pmcid: str | None = None
    version: int | None = None
    name: str | None = None
    detail: str = ""
    asked_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.reason not in REASONS.get(self.stage, {}):
            raise ValueError(f"reason {self.reason!r} is not in the closed list of stage {self.stage!r}")


def rejects_table(rejects: list[Reject]) -> pa.Table:
    """Give rejects as rows of `core.rejects`, in the given order."""
    return schema.CORE_REJECTS.from_rows([{name: getattr(r, name) for name in Reject.__slots__} for r in rejects])


def reject_order(reject: Reject) -> tuple[int, int, str]:
    """Give what rejects of one stage are sorted by: number of PMCID, version, name."""
    return *article_order(reject.pmcid or "PMC0", reject.version or 0), reject.name or ""


def read_rejects(lake: Lake, partition: Partition) -> pa.Table:
    """Read the rejects of every stage of one partition, stage by stage. Empty: no rows, with the schema."""
    paths = lake.find(lake.partition_path(schema.CORE_REJECTS.name, partition), ".parquet")
    tables = [lake.read_table(schema.CORE_REJECTS, partition, stem=PurePosixPath(path).stem) for path in paths]
    return pa.concat_tables([schema.CORE_REJECTS.empty(), *tables])


def gather_rejects(lake: Lake, partition: Partition) -> StageResult:
    """Count one partition's rejects by stage and reason.

    Raises: ValueError for a row whose stage or reason is not in the closed list.
    """
    rows = read_rejects(lake, partition)
    counts = Counter(zip(rows["stage"].to_pylist(), rows["reason"].to_pylist(), strict=True))
    for stage, reason in counts:
        if reason not in REASONS.get(stage, {}):
            raise ValueError(f"core.rejects holds {stage}/{reason}, which is not in the closed list")
    return StageResult(
        listed=rows.num_rows,
        stored=rows.num_rows,
        rows=rows.num_rows,
        digest=hashlib.sha256(str(sorted(counts.items())).encode()).hexdigest(),
        details={f"{stage}/{reason}": count for (stage, reason), count in sorted(counts.items())},
        preview=rows.slice(0, PREVIEW_ROWS),
    )
