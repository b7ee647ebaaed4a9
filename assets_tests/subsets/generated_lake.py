"""Makes lakes of generated samples with real shards: random labels, licences, years; bytes that say whose they are."""

import random
from pathlib import Path

import pyarrow as pa

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import license_group
from pmc_assets.shards import tar
from pmc_assets.shards.samples import samples_table
from pmc_assets.shards.write import write_shards
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.contract import find_contract
from pmc_assets.warehouse.stage import derive_partition

LABELS = ("Microscopy", "Clinical Imaging", "Plots and Charts", "Illustrative Diagrams")
LOCALS = {"Microscopy": "histology", "Clinical Imaging": "ultrasound"}
CODES = ("CC BY", "CC0", "CC BY-ND", "CC BY-NC", "CC BY-NC-ND", None)
WORDS = ("lung", "ultrasound", "B-lines", "kidney", "histology", "of", "a", "cell", "stain", "showing", "plot")


def cell(number: int, group: str) -> Partition:
    return Partition.of(license_group=group, batch=f"PMC{number:05d}xxxx")


def make_sample(number: int, rng: random.Random, image_bytes: int, pmcid_step: int) -> dict:
    """Draw one sample: four in an article, whose licence and year they share."""
    article = random.Random(number // 4)
    pmcid, figure_index = f"PMC{10_000 + (number // 4) * pmcid_step}", number % 4
    labels = rng.sample(LABELS, rng.choice((0, 1, 1, 1, 2)))
    width, height = rng.randint(10, 900), rng.randint(10, 900)
    return {
        "sample_key": f"{pmcid}_1_f{figure_index:04d}_g00",
        "pmcid": pmcid,
        "version": 1,
        "figure_index": figure_index,
        "graphic_index": 0,
        "pmid": 5_000 + number // 4 if article.random() < 0.8 else None,
        "kind": "figure",
        "figure_id": f"F{figure_index}",
        "caption": " ".join(rng.choices(WORDS, k=rng.randint(1, 30))) + "\tend\nof it",
        "section_path": [],
        "mentions": [{"section": "", "text": "see it"}] * rng.randint(0, 2),
        "subcaptions": [],
        "image_name": f"g{figure_index}.jpg",
        "image_format": "jpeg",
        "width_px": width,
        "height_px": height,
        "image_mode": "RGB",
        "frame_count": 1,
        "image_sha256": f"{number:064x}",
        "image_phash": number,
        "title": f'Article {number // 4}, of "quotes"',
        "year": article.choice([None, *range(2000, 2026)]),
        "license_code": article.choice(CODES),
        "primary_label": labels,
        "secondary_label": [LOCALS[label] for label in labels if label in LOCALS],
        "label_confidence": (0.3, 0.6, 1.0)[number % 3] if labels else None,
        "panel_type": rng.choice(("single", "multiple", None)),
        "is_retracted": False,
        "is_too_small": min(width, height) <= 20,
        "is_default": min(width, height) > 20,
        "split": article.choice(("train", "train", "validation", "test")),
        "subjects": [],
        "keywords": [],
        "mesh_terms": [],
        "publication_types": [],
        "reference_ids": [],
        "size_bytes": rng.randint(image_bytes // 2, image_bytes),
    }


def write_cell(lake: Lake, partition: Partition, samples: list[dict], most_samples: int = 20) -> None:
    """Write one partition: images in a tar part, articles, images, out.samples, shards, attributions."""
    part_path = f"raw/packages/{partition.path}/part-00000.tar"
    part = Path(lake.full_path(part_path))
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        for sample in samples:
            content = random.Random(sample["sample_key"]).randbytes(sample["size_bytes"])
            sample["part_path"], sample["offset_bytes"] = part_path, file.tell() + tar.BLOCK_BYTES
            file.write(tar.member(f"{sample['sample_key']}.jpg", content))
    table = samples_table()
    lake.write_table(table, pa.Table.from_pylist(samples, schema=table.arrow), partition)
    key = ("pmcid", "version", "license_code", "title", "year")
    articles = {s["pmcid"]: {name: s[name] for name in key} for s in samples}
    authors = [{"surname": "Lee", "given_names": "Ann"}]
    rows = [a | {"is_retracted": False, "is_recovered": False, "authors": authors} for a in articles.values()]
    lake.write_table(schema.CORE_ARTICLES, schema.CORE_ARTICLES.from_rows(rows), partition)
    images = [
        {f.name: sample.get(f.name) for f in schema.CORE_IMAGES.columns}
        | {"graphic_ref": "g", "format": "jpeg", "mode": "RGB"}
        for sample in samples
    ]
    lake.write_table(schema.CORE_IMAGES, schema.CORE_IMAGES.from_rows(images), partition)
    derive_partition(lake, find_contract("out.attributions"), partition)
    write_shards(lake, partition, most_samples=most_samples)


def make_lake(
    url: str, count: int, image_bytes: int = 400, most_samples: int = 20, pmcid_step: int = 150
) -> list[dict]:
    """Make a lake of `count` samples in batches of 10,000 PMCIDs; give the samples with group and batch."""
    lake, rng = Lake(url), random.Random(0)
    cells: dict[Partition, list[dict]] = {}
    for number in range(count):
        sample = make_sample(number, rng, image_bytes, pmcid_step)
        group = license_group(sample["license_code"])
        cells.setdefault(cell(int(sample["pmcid"][3:]) // 10_000, group), []).append(sample)
    for partition, samples in cells.items():
        write_cell(lake, partition, samples, most_samples)
    build_warehouse(lake)
    return [sample | dict(partition.values) for partition, samples in cells.items() for sample in samples]
