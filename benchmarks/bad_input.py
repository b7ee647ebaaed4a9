"""What every door does with bad input: read as far as it goes, refused by name, or, a fault, anything else.

python -m benchmarks.bad_input             the counts of the README's reliability table
python -m benchmarks.bad_input --number 12 a quick look
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.operations import bad_inputs

FULL_NUMBER = 200
SLOW_S = 20.0
METADATA: dict[str, Any] = {
    "pmcid": "PMC11435997",
    "version": 1,
    "pmid": 39338762,
    "doi": "10.3390/s24186017",
    "mid": None,
    "title": "T",
    "citation": "C",
    "is_pmc_openaccess": True,
    "is_manuscript": False,
    "is_historical_ocr": False,
    "is_retracted": False,
    "license_code": "CC BY",
    "xml_url": "s3://b/PMC11435997.1/PMC11435997.1.xml?md5=72e1bcfda57e8f60d7d826308220a289",
    "media_urls": ["s3://b/PMC11435997.1/g001.jpg?md5=5ef5ebe10b8e9202f5aa740d5c52e1c4"],
}
MANIFEST: dict[str, Any] = {
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, LastModifiedDate, ETag",
    "files": [{"key": "metadata/data/a.csv.gz", "size": 1, "MD5checksum": "0" * 32}],
}
INVENTORY = b'"b","metadata/PMC1.1.json","2026-01-08T11:47:59.000Z","f25d9c5f5b85338f62156faeedfc1e95"\n' * 20
FILE_LIST = (
    b"File,Article Citation,Accession ID,Last Updated (YYYY-MM-DD HH:MM:SS),PMID,License\n"
    + b'oa_package/08/e0/PMC13900.tar.gz,"Breast, 2001",PMC13900,2019-11-05 11:56:12,11250746,NO-CC CODE\n' * 10
)
LABELS = (
    b"cluster_id,panel_type,panel_subtype,primary_label,secondary_label,annotator,note\n"
    b"0,single,one,Clinical Imaging,ultrasound,ada,\n"
)
SQL_HEADER = b"-- One row per figure.\n-- depends: core.figures\n-- column: a | meaning\n-- key: a\nselect 1 as a\n"
QUERY = b"select license_group, count(*) from out.samples where pmcid > 'PMC1' group by 1"


@dataclass
class Tally:
    """What one door did."""

    door: str
    tried: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=FULL_NUMBER, help="spoilt copies per whole file")
    tallies = [knock(*door) for door in doors(parser.parse_args().number)]
    print("| door | tried | refused by name | read | faults |\n|---|---:|---:|---:|---|")
    for tally in tallies:
        read = tally.tried - tally.refused - len(tally.faults)
        faults = "; ".join(tally.faults[:3]) or "none"
        print(f"| {tally.door} | {tally.tried:,} | {tally.refused:,} | {read:,} | {faults} |")
    sys.exit(any(tally.faults for tally in tallies))


Door = tuple[str, Callable[[bytes], object], tuple[type[Exception], ...], Iterable[tuple[str, bytes]]]


def knock(
    name: str,
    opens: Callable[[bytes], object],
    refusals: tuple[type[Exception], ...],
    inputs: Iterable[tuple[str, bytes]],
) -> Tally:
    """Try every input at one door; another exception than its own refusals, or a long wait, is a fault."""
    tally = Tally(name)
    for kind, content in inputs:
        tally.tried += 1
        started = time.monotonic()
        try:
            opens(content)
        except refusals:
            tally.refused += 1
        except Exception as error:  # noqa: BLE001 - what a door does not name is what is looked for
            tally.faults.append(f"{kind}: {type(error).__name__}: {str(error)[:80]}")
        if (seconds := time.monotonic() - started) > SLOW_S:
            tally.faults.append(f"{kind}: {seconds:.0f} s")
    return tally


def doors(number: int) -> Iterator[Door]:
    """Name every door of the package with what it refuses by and what is tried at it."""
    from pmc_assets.figures.images import read_image_facts
    from pmc_assets.figures.pixels import ImageTooLarge, UnreadableImage
    from pmc_assets.filelists.metadata import UnreadableMetadata, version_row
    from pmc_assets.jats.article import MalformedArticle, read_article
    from pmc_assets.source.archives import BadArchive, TooLarge, unpack_article
    from pmc_assets.source.legacy_lists import UnreadableFileList, read_list
    from pmc_assets.source.snapshots import parse_manifest

    yield "images", read_image_facts, (UnreadableImage, ImageTooLarge), bad_inputs.bad_images(number // 6)
    yield "article XML", read_article, (MalformedArticle,), bad_inputs.bad_xml(number)
    unpack = _by_path("a.tar.gz", lambda path: unpack_article(path, lambda xml, names: names, 2**26, 2**28))
    yield "tarballs (tar, gzip)", unpack, (BadArchive, TooLarge), bad_inputs.bad_tarballs(number)
    metadata = lambda content: version_row(_fields(content), etag=None, modified_at=None)  # noqa: E731
    yield "metadata JSON", metadata, (UnreadableMetadata, ValueError), bad_inputs.bad_json(METADATA, number)
    yield (
        "inventory manifest JSON",
        lambda c: parse_manifest(c, "2026-11-01"),
        (ValueError,),
        bad_inputs.bad_json(MANIFEST, number),
    )
    lists = _by_path("oa_file_list.csv", lambda path: list(read_list(path)))
    yield "file list CSV", lists, (UnreadableFileList,), bad_inputs.mutations(FILE_LIST, number)
    yield from _tabular_doors(number)
    yield from _sql_doors(number)


def _tabular_doors(number: int) -> Iterator[Door]:
    import gzip
    import io

    import pyarrow as pa

    from pmc_assets.annotations.label_files import FaultyLabels, read_label_files
    from pmc_assets.annotations.taxonomy import read_taxonomy
    from pmc_assets.source.snapshots import InventoryUnreadable, _read_shards, read_shard

    columns = ("Bucket", "Key", "LastModifiedDate", "ETag")
    shard = lambda content: list(read_shard(io.BufferedReader(io.BytesIO(content)), columns))  # noqa: E731
    yield "inventory CSV", shard, (pa.ArrowInvalid,), bad_inputs.mutations(INVENTORY, number)
    zipped = _by_path("shard-0.csv.gz", lambda path: list(_read_shards([path], columns)))
    yield "inventory gzip", zipped, (InventoryUnreadable,), bad_inputs.mutations(gzip.compress(INVENTORY), number)
    taxonomy = read_taxonomy()
    for suffix, whole in (
        ("csv", LABELS),
        ("json", b'{"0": {"panel_type": "single", "global_class": "Clinical Imaging", "annotator": "ada"}}'),
    ):
        read = lambda content, name=f"l.{suffix}": read_label_files({name: content}, taxonomy, 5)  # noqa: E731
        yield f"labels {suffix.upper()}", read, (FaultyLabels,), bad_inputs.mutations(whole, number)


def _sql_doors(number: int) -> Iterator[Door]:
    import duckdb

    from pmc_assets.subsets.spec import BadSubset, subset_where
    from pmc_assets.warehouse.contract import BadContract, parse_contract
    from pmc_assets.warehouse.guard import QueryError, check_query

    text = lambda content: content.decode("utf-8", "replace")  # noqa: E731
    header = lambda content: parse_contract("core.x", text(content))  # noqa: E731
    yield "SQL headers", header, (BadContract,), bad_inputs.mutations(SQL_HEADER, number)
    connection = duckdb.connect()
    query = lambda content: check_query(connection, text(content))  # noqa: E731
    yield "SQL queries", query, (QueryError,), bad_inputs.mutations(QUERY, number)
    subset = lambda content: subset_where("x", text(content))  # noqa: E731
    yield (
        "subset conditions",
        subset,
        (BadSubset, QueryError),
        bad_inputs.mutations(b"width_px > 500 and pmcid = 'a'", number),
    )


def _fields(content: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(content)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(fields, dict):
        raise ValueError("no object")
    return fields


def _by_path(name: str, opens: Callable[[Path], object]) -> Callable[[bytes], object]:
    def opened(content: bytes) -> object:
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            return opens(path)

    return opened


if __name__ == "__main__":
    main()
