"""A small lake for the shards: tar parts with drawn images of every format, and the core tables over them."""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import license_group
from pmc_assets.shards import tar
from pmc_assets.shards.samples import make_samples

BATCH = "PMC00001xxxx"


def drawn(name: str, mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> bytes:
    """Draw a picture in the format of the name's extension; equal names give equal bytes."""
    seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(values[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(values, "RGBA").convert("RGB" if mode in ("CMYK", "P") else mode).convert(mode)
    content = io.BytesIO()
    extension = name.rsplit(".", 1)[1]
    picture.save(content, {"jpg": "JPEG", "tif": "TIFF"}.get(extension, extension.upper()))
    return content.getvalue()


@dataclass
class Figure:
    """One figure to be put into the lake: caption, and its images as (name, bytes)."""

    caption: str
    images: list[tuple[str, bytes]] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    figure_id: str | None = "F1"
    subcaptions: list[str] = field(default_factory=list)


@dataclass
class Article:
    """One article to be put into the lake."""

    pmcid: str
    figures: list[Figure]
    license_code: str | None = "CC BY"
    pmid: int | None = None
    keywords: tuple[str, ...] = ()
    is_retracted: bool = False


ARTICLES = [
    Article(
        "PMC10001", [Figure("Overview of “everything”.\nAnd a second line: α–β.", [("fig1.jpg", drawn("fig1.jpg"))])]
    ),
    Article(
        "PMC10002",
        [
            Figure(
                "A cell (A) and a nucleus (B).",
                [("cell.png", drawn("cell.png", "RGBA")), ("cell2.jpg", drawn("cell2.jpg", "CMYK"))],
                ["As Figure 1 shows, cells are round.", "See Fig. 1."],
                subcaptions=["A cell", "a nucleus"],
            ),
            Figure("Sixteen bits.", [("deep.tif", drawn("deep.tif", "I;16"))], figure_id="F2"),
            Figure("Palette.", [("small.gif", drawn("small.gif", "P"))], figure_id="F3"),
            Figure("", [("bare.jpg", drawn("bare.jpg"))], figure_id=None),
        ],
        pmid=2002,
        keywords=("cells", "nuclei"),
        license_code="CC BY-SA",
    ),
    Article(
        "PMC10010",
        [
            Figure("The same picture as elsewhere.", [("again.jpg", drawn("fig1.jpg"))]),
            Figure("Tiny icon.", [("icon.jpg", drawn("icon.jpg", size=(20, 20)))], figure_id=None),
            Figure("A web picture.", [("pic.webp", drawn("pic.webp"))], figure_id="F1"),
        ],
        pmid=2010,
    ),
    Article("PMC10011", [Figure("Withdrawn.", [("gone.jpg", drawn("gone.jpg"))])], is_retracted=True),
    Article("PMC10012", [Figure("Not for sale.", [("nc.jpg", drawn("nc.jpg"))])], license_code="CC BY-NC"),
    Article("PMC10013", [Figure("Unknown terms.", [("own.jpg", drawn("own.jpg"))])], license_code=None),
]


def article_rows(article: Article, part_path: str, offset: int) -> tuple[dict[str, list[dict]], bytes]:
    """Give the rows of one article by table, and its images as tar members that start at `offset`."""
    key = {"pmcid": article.pmcid, "version": 1}
    rows: dict[str, list[dict]] = {name: [] for name in schema.TABLES}
    rows["core.articles"].append(
        key
        | {
            "pmid": article.pmid,
            "title": f"On {article.pmcid}",
            "journal_title": "Journal of Tests",
            "epub_date": "2020-05-04",
            "year": 2020,
            "keywords": list(article.keywords),
            "license_code": article.license_code,
            "is_retracted": article.is_retracted,
            "is_recovered": False,
            "body_paragraphs": [{"section_path": ["Results"], "text": f"Body of {article.pmcid}."}],
            "reference_pmids": [11, 12] if article.pmid else [],
            "reference_dois": ["10.1/x"] if article.pmid else [],
            "reference_count": 3 if article.pmid else None,
        }
    )
    names = [name for figure in article.figures for name, _ in figure.images]
    rows["raw.filelists"].append(
        key
        | {
            "license_code": article.license_code,
            "xml_url": f"s3://bucket/{article.pmcid}.1/{article.pmcid}.1.xml",
            "media_urls": [f"s3://bucket/{article.pmcid}.1/{name}" for name in names],
        }
    )
    rows["raw.filelists"].append(key | {"version": 2, "xml_url": "s3://bucket/a manuscript", "is_preferred": False})
    members = b""
    for figure_index, figure in enumerate(article.figures):
        figure_key = key | {"figure_index": figure_index}
        rows["core.figures"].append(
            figure_key
            | {"kind": "figure", "figure_id": figure.figure_id, "figure_label": f"Figure {figure_index + 1}"}
            | {"caption": figure.caption, "section_path": ["Results", "Imaging"]}
        )
        for index, text in enumerate(figure.mentions):
            rows["core.mentions"].append(
                figure_key | {"mention_index": index, "text": text, "section_path": ["Results"]}
            )
        for index, text in enumerate(figure.subcaptions):
            rows["core.subcaptions"].append(
                figure_key | {"panel_id": "AB"[index], "span_start": index, "span_end": index + 1, "text": text}
            )
        for graphic_index, (name, content) in enumerate(figure.images):
            start = offset + len(members) + tar.BLOCK_BYTES
            members += tar.member(f"{article.pmcid}.1/{name}", content)
            rows["core.images"].append(
                figure_key
                | {"graphic_index": graphic_index, "part_path": part_path, "offset_bytes": start}
                | image_facts(name, content)
            )
    return rows, members


def image_facts(name: str, content: bytes) -> dict:
    with Image.open(io.BytesIO(content)) as image:
        facts = {"format": (image.format or "").lower(), "mode": image.mode, "frame_count": 1}
        facts |= {"width_px": image.width, "height_px": image.height}
    sha256 = hashlib.sha256(content).hexdigest()
    return facts | {
        "graphic_ref": name.rsplit(".", 1)[0],
        "image_name": name,
        "size_bytes": len(content),
        "image_sha256": sha256,
        "image_phash": int(sha256[:16], 16),
    }


def write_articles(lake: Lake, articles: list[Article], batch: str = BATCH) -> list[Partition]:
    """Put articles into a lake: one tar part and the tables of each licence group. Gives the partitions."""
    partitions = []
    for group in sorted({license_group(article.license_code) for article in articles}):
        partition = Partition.of(license_group=group, batch=batch)
        part_path = f"{lake.partition_path('raw.packages', partition)}/part-00000.tar"
        rows: dict[str, list[dict]] = {name: [] for name in schema.TABLES}
        part = b""
        for article in articles:
            if license_group(article.license_code) == group:
                more, members = article_rows(article, part_path, len(part))
                part += members
                for name in rows:
                    rows[name] += more[name]
        _mark_duplicates(rows["core.images"])
        lake.write_bytes(part_path, part + tar.END)
        for name, table in schema.TABLES.items():
            if rows[name]:
                lake.write_table(table, table.from_rows(rows[name]), partition)
        partitions.append(partition)
    return partitions


def _mark_duplicates(images: list[dict]) -> None:
    first: dict[str, str] = {}
    for image in images:
        key = "{pmcid}.{version}/{figure_index}/{graphic_index}".format(**image)
        if image["image_sha256"] in first:
            image["is_duplicate_of"] = first[image["image_sha256"]]
        first.setdefault(image["image_sha256"], key)


def many_articles(count: int, figures: int = 3) -> list[Article]:
    """Give articles with drawn JPEGs, their numbers from 10100 on."""
    return [
        Article(
            f"PMC{10100 + number}",
            [
                Figure(f"Caption {index} of {number}.", [(f"g{index}.jpg", drawn(f"{number}-{index}.jpg"))])
                for index in range(figures)
            ],
            keywords=("even",) if number % 2 == 0 else (),
        )
        for number in range(count)
    ]


@dataclass(frozen=True)
class SmallLake:
    """A lake of `ARTICLES` with out.samples made; `partition` is the commercial one."""

    lake: Lake
    partitions: list[Partition]

    @property
    def partition(self) -> Partition:
        return self.partitions[0]


def make_small_lake(root: Path) -> SmallLake:
    lake = Lake(str(root))
    partitions = write_articles(lake, ARTICLES)
    for partition in partitions:
        make_samples(lake, partition)
    return SmallLake(lake, partitions)


def load(shards: str, **options: Any) -> Any:
    """Open the loader: torch, which takes seconds, is imported here and not as tests are collected."""
    from pmc_assets.shards.loader import ShardLoader

    return ShardLoader(shards, **options)


def load_raw(shards: str, **options: Any) -> Any:
    from pmc_assets.shards.loader import raw_sample

    return load(shards, transform=raw_sample, **options)
