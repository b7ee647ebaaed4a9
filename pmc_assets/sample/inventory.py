"""The sample's inventory report: gzipped CSV shards and their manifest, as S3 Inventory writes them."""

import csv
import gzip
import hashlib
import io
import json
import tempfile
import uuid
from datetime import UTC, datetime, timedelta

from pmc_assets.sample.deposit import BUCKET
from pmc_assets.sample.sink import Sink

REPORTS = f"inventory-reports/{BUCKET}/metadata"
SPOOL_BYTES = 8 * 2**20


class InventoryWriter:
    """Spreads rows (key, last modified, ETag) over shards; `finish` writes them and then the manifest."""

    def __init__(self, seed: int, day: datetime, shards: int) -> None:
        self.day = day
        self.names = [f"{uuid.uuid5(uuid.NAMESPACE_URL, f'{seed}/{day:%Y-%m-%d}/{n}')}.csv.gz" for n in range(shards)]
        self._spools = [tempfile.SpooledTemporaryFile(SPOOL_BYTES) for _ in range(shards)]  # noqa: SIM115
        self._zips = [gzip.GzipFile("", "wb", 6, spool, mtime=0) for spool in self._spools]
        self.rows = 0

    def add(self, key: str, modified: datetime, etag: str) -> None:
        line = io.StringIO()
        row = (BUCKET, key, f"{modified:%Y-%m-%dT%H:%M:%S}.000Z", etag)
        csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row)
        self._zips[self.rows % len(self._zips)].write(line.getvalue().encode())
        self.rows += 1

    def finish(self, sink: Sink) -> None:
        files: list[dict[str, object]] = []
        for name, spool, zipped in zip(self.names, self._spools, self._zips, strict=True):
            zipped.close()
            spool.seek(0)
            data = spool.read()
            spool.close()
            key = f"{REPORTS}/data/{name}"
            sink.write(key, data)
            files.append({"key": key, "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()})
        sink.write(f"{report_folder(self.day)}/manifest.json", manifest(self.day, files))


def report_folder(day: datetime) -> str:
    return f"{REPORTS}/{day:%Y-%m-%d}T01-00Z"


def manifest(day: datetime, files: list[dict[str, object]]) -> bytes:
    created = day.replace(hour=1, tzinfo=UTC)
    content = {
        "sourceBucket": BUCKET,
        "destinationBucket": f"arn:aws:s3:::{BUCKET}",
        "version": "2016-11-30",
        "creationTimestamp": str(int(created.timestamp() * 1000)),
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, LastModifiedDate, ETag",
        "files": files,
    }
    return json.dumps(content, indent=1).encode()


def read_inventory(sink: Sink, day: datetime) -> dict[str, tuple[datetime, str]]:
    """Read the inventory of a day: key to last modification and ETag."""
    files = json.loads(sink.read(f"{report_folder(day)}/manifest.json"))["files"]
    lines = [line for file in files for line in gzip.decompress(sink.read(file["key"])).decode().splitlines()]
    return {
        key: (datetime.strptime(modified, "%Y-%m-%dT%H:%M:%S.000Z"), etag)
        for _, key, modified, etag in csv.reader(sorted(lines))
    }


def leave_unfinished(sink: Sink, day: datetime) -> None:
    """Open the folder of a day whose manifest is not there yet."""
    sink.write(f"{report_folder(day)}/manifest.checksum", b"")


def modified_at(day: datetime, index: int) -> datetime:
    """Spread the dates of last modification over the year before the inventory."""
    return day - timedelta(days=1 + index % 300, seconds=index % 86_400)
