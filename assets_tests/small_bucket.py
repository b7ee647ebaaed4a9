"""A bucket of a few tiny articles in NLM's layout, which tests change as NLM would."""

import csv
import gzip
import io
import json
import shutil
from hashlib import md5
from pathlib import Path
from typing import Any

BUCKET = "pmc-oa-opendata"
INVENTORY = f"inventory-reports/{BUCKET}/metadata"
COLUMNS = ("Bucket", "Key", "LastModifiedDate", "ETag")


def article_xml(title: str, hrefs: list[str]) -> bytes:
    figures = "".join(
        f'<fig id="f{n}"><label>Figure {n}</label><caption><p>Caption {n} of {title}.</p></caption>'
        f'<graphic xlink:href="{href}"/></fig>'
        for n, href in enumerate(hrefs, 1)
    )
    return (
        '<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="research-article"><front><article-meta>'
        f"<title-group><article-title>{title}</article-title></title-group></article-meta></front>"
        f"<body>{figures}</body></article>"
    ).encode()


class SmallBucket:
    """Deposits below `root`; `publish` writes a day's inventory of what is there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)

    def add(
        self,
        pmcid: str,
        version: int = 1,
        *,
        license_code: str | None = "CC BY",
        media: dict[str, bytes] | None = None,
        cited: list[str] | None = None,
        title: str = "",
        **flags: Any,
    ) -> None:
        """Deposit one version: an XML that cites `cited` (all media if None), and the media."""
        media = {"g001.jpg": f"{pmcid}.{version} image".encode() * 20} if media is None else media
        xml = article_xml(title or f"{pmcid}.{version}", list(media) if cited is None else cited)
        folder = self.root / f"{pmcid}.{version}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / f"{pmcid}.{version}.xml").write_bytes(xml)
        for name, content in media.items():
            (folder / name).write_bytes(content)
        fields = {
            "pmcid": pmcid,
            "version": version,
            "pmid": None,
            "doi": None,
            "mid": None,
            "title": title or pmcid,
            "citation": f"Journal. {pmcid}",
            "is_pmc_openaccess": True,
            "is_manuscript": False,
            "is_historical_ocr": False,
            "is_retracted": False,
            "license_code": license_code,
            "xml_url": self._url(folder / f"{pmcid}.{version}.xml"),
            "media_urls": [self._url(folder / name) for name in media],
        }
        self._write_metadata(pmcid, version, fields | flags)

    def change(self, pmcid: str, version: int = 1, /, **fields: Any) -> None:
        """Change fields of a version's metadata."""
        path = self.root / "metadata" / f"{pmcid}.{version}.json"
        self._write_metadata(pmcid, version, json.loads(path.read_bytes()) | fields)

    def replace_file(self, pmcid: str, name: str, content: bytes, version: int = 1) -> None:
        """Correct one media file; its md5 in the metadata follows."""
        path = self.root / f"{pmcid}.{version}" / name
        path.write_bytes(content)
        fields = json.loads((self.root / "metadata" / f"{pmcid}.{version}.json").read_bytes())
        urls = [self._url(path) if url.split("?")[0].endswith("/" + name) else url for url in fields["media_urls"]]
        self.change(pmcid, version, media_urls=urls)

    def remove(self, pmcid: str, version: int = 1) -> None:
        shutil.rmtree(self.root / f"{pmcid}.{version}")
        (self.root / "metadata" / f"{pmcid}.{version}.json").unlink()

    def publish(
        self,
        day: str,
        *,
        columns: tuple[str, ...] = COLUMNS,
        shards: int = 2,
        extra_rows: list[tuple[str, str]] | None = None,
        has_manifest: bool = True,
    ) -> None:
        """Write the inventory of a day; `extra_rows` are further (key, etag)."""
        listed = [
            (f"metadata/{path.name}", md5(path.read_bytes()).hexdigest())
            for path in sorted((self.root / "metadata").glob("*.json"))
        ] + (extra_rows or [])
        files = []
        for shard in range(shards):
            content = _csv_gz(listed[shard::shards], columns, day)
            key = f"{INVENTORY}/data/{day}-{shard}.csv.gz"
            self._write(key, content)
            files.append({"key": key, "size": len(content), "MD5checksum": md5(content).hexdigest()})
        manifest = {
            "sourceBucket": BUCKET,
            "destinationBucket": f"arn:aws:s3:::{BUCKET}",
            "version": "2016-11-30",
            "fileFormat": "CSV",
            "fileSchema": ", ".join(columns),
            "files": files,
        }
        (self.root / INVENTORY / f"{day}T01-00Z").mkdir(parents=True, exist_ok=True)
        if has_manifest:
            self._write(f"{INVENTORY}/{day}T01-00Z/manifest.json", json.dumps(manifest).encode())

    def _url(self, path: Path) -> str:
        return f"s3://{BUCKET}/{path.relative_to(self.root)}?md5={md5(path.read_bytes()).hexdigest()}"

    def _write_metadata(self, pmcid: str, version: int, fields: dict[str, Any]) -> None:
        content = json.dumps(fields).encode()
        self._write(f"metadata/{pmcid}.{version}.json", content)
        self._write(f"{pmcid}.{version}/{pmcid}.{version}.json", content)

    def _write(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _csv_gz(listed: list[tuple[str, str]], columns: tuple[str, ...], day: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for key, etag in listed:
        row = {"Bucket": BUCKET, "Key": key, "LastModifiedDate": f"{day}T00:10:00.000Z", "ETag": etag}
        writer.writerow([row.get(column, "x") for column in columns])
    return gzip.compress(text.getvalue().encode(), mtime=0)
