"""Contact sheets: what an expert looks at to name a cluster. One page per hundred clusters, one PNG per cluster."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from pmc_assets import schema
from pmc_assets.annotations.cluster_model import ClusterModel, load_cluster_model, place_in_cluster
from pmc_assets.annotations.figure_texts import FigureText, read_member_texts
from pmc_assets.annotations.label_files import COLUMNS, LABEL_SEPARATOR
from pmc_assets.figures.parse import image_key
from pmc_assets.figures.pixels import decode
from pmc_assets.lake import Lake, Partition
from pmc_assets.results import StageResult

NEAREST_IMAGES = 12
RANDOM_IMAGES = 12
THUMB_PX = 144
SHEET_COLUMNS = 6
CLUSTERS_PER_PAGE = 100
OVERVIEW_CLUSTERS = 24
CAPTION_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Thumb:
    """One member on a sheet: its place in the PNG in px, and its words."""

    image: str
    label: str
    caption: str
    panels: int
    is_nearest: bool
    left_px: int
    top_px: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One cluster on the page."""

    proposal: dict
    png_name: str
    width_px: int
    height_px: int
    thumbs: list[Thumb]


def write_contact_sheets(lake: Lake, model_id: str = "") -> StageResult:
    """Write the contact sheets of a model (the one in use) to `models/contact_sheets/<model id>/`.

    Shape: index.html and page-N.html, cluster-NNNNN.png, overview.png, and labels.csv: the form of the
    experts, filled with the proposals.
    """
    model = load_cluster_model(lake, model_id)
    cell = Partition.of(model=model.model_id)
    members = lake.read_table(schema.MODELS_CLUSTER_MEMBERS, cell)
    proposals = lake.read_table(schema.MODELS_CLUSTER_PROPOSALS, cell).to_pylist()
    chosen = _chosen(members, model)
    texts = read_member_texts(lake, chosen)
    rows: dict[int, list[tuple[dict, FigureText]]] = defaultdict(list)
    for row, text in zip(_with_places(lake, chosen), texts, strict=True):
        rows[row["cluster_id"]].append((row, text))
    path = f"models/contact_sheets/{model.model_id}"
    with lake.scratch() as folder:
        staged = folder / "sheets"
        staged.mkdir()
        sheets = [_sheet(lake, staged, proposal, rows[proposal["cluster_id"]]) for proposal in proposals]
        _write_pages(staged, model, sheets)
        (staged / "labels.csv").write_text(labels_form(proposals), "utf-8")
        _overview(staged, sheets)
        files = [file for file in staged.iterdir() if file.is_file()]
        size = sum(file.stat().st_size for file in files)
        lake.publish_folder(staged, path, last="index.html")
    return StageResult(
        listed=len(proposals),
        stored=len(sheets),
        rows=len(sheets),
        size_bytes=size,
        paths=[f"{path}/index.html"],
        details={"model_id": model.model_id, "files": len(files), "images": chosen.num_rows},
    )


def labels_form(proposals: Sequence[dict]) -> str:
    """Fill the experts' form with the proposals: what is left as it is agrees with them."""
    text = io.StringIO()
    form = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    form.writeheader()
    for row in proposals:
        form.writerow(
            {
                "cluster_id": row["cluster_id"],
                "panel_type": "multiple" if row["multiple_share"] > 0.5 else "single",
                "primary_label": LABEL_SEPARATOR.join(row["primary_label"]),
                "secondary_label": LABEL_SEPARATOR.join(row["secondary_label"]),
            }
        )
    return text.getvalue()


def _chosen(members: pa.Table, model: ClusterModel) -> pa.Table:
    """Choose each cluster's nearest members, then a seeded random sample of the others."""
    rng = np.random.default_rng(model.facts.seed)
    nearness = members["nearness"].to_numpy()
    lottery = rng.random(members.num_rows)
    lottery[nearness < NEAREST_IMAGES] = -1.0
    order = np.lexsort((nearness, lottery, members["cluster_id"].to_numpy()))
    place = place_in_cluster(members["cluster_id"].to_numpy()[order])
    return members.take(pa.array(order[place < NEAREST_IMAGES + RANDOM_IMAGES]))


def _with_places(lake: Lake, chosen: pa.Table) -> list[dict]:
    """Add where the bytes are, from the cells' `core.images`."""
    rows = chosen.to_pylist()
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        wanted[row["license_group"], row["batch"]].add(row["image_sha256"])
    columns = ["image_sha256", "part_path", "offset_bytes", "size_bytes"]
    places: dict[str, dict] = {}
    for (group, batch), digests in wanted.items():
        images = lake.read_table(schema.CORE_IMAGES, Partition.of(license_group=group, batch=batch), columns)
        places |= {one["image_sha256"]: one for one in images.to_pylist() if one["image_sha256"] in digests}
    return [row | places.get(row["image_sha256"], {}) for row in rows]


def _sheet(lake: Lake, folder: Path, proposal: dict, members: list[tuple[dict, FigureText]]) -> Sheet:
    columns = min(SHEET_COLUMNS, max(1, len(members)))
    size = columns * THUMB_PX, -(-max(1, len(members)) // columns) * THUMB_PX
    png = Image.new("RGB", size, "white")
    thumbs = []
    for place, (row, text) in enumerate(members):
        left, top = place % columns * THUMB_PX, place // columns * THUMB_PX
        if "part_path" in row:
            png.paste(_thumbnail(lake, row), (left, top))
        thumbs.append(_thumb(row, text, left, top))
    name = f"cluster-{proposal['cluster_id']:05d}.png"
    png.quantize(128, Image.Quantize.FASTOCTREE).save(folder / name, optimize=False)
    return Sheet(proposal, name, *size, thumbs)


def _thumb(row: dict, text: FigureText, left: int, top: int) -> Thumb:
    caption = text.caption
    if len(caption) > CAPTION_CHARACTERS:
        caption = caption[: CAPTION_CHARACTERS - 1] + "…"
    is_nearest = row["nearness"] < NEAREST_IMAGES
    return Thumb(image_key(row), text.figure_label, caption, row["gutter_panel_count"], is_nearest, left, top)


def _thumbnail(lake: Lake, row: dict) -> Image.Image:
    content = lake.read_bytes(row["part_path"], row["offset_bytes"], row["size_bytes"])
    rgb = decode(content, THUMB_PX).rgb
    rgb.thumbnail((THUMB_PX - 4, THUMB_PX - 4), Image.Resampling.BILINEAR)
    canvas = Image.new("RGB", (THUMB_PX, THUMB_PX), "white")
    canvas.paste(rgb, ((THUMB_PX - rgb.width) // 2, (THUMB_PX - rgb.height) // 2))
    return canvas


def _write_pages(folder: Path, model: ClusterModel, sheets: list[Sheet]) -> None:
    import jinja2

    text = resources.files("pmc_assets.annotations").joinpath("contact_sheet.html").read_text("utf-8")
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    pages = [sheets[start : start + CLUSTERS_PER_PAGE] for start in range(0, len(sheets), CLUSTERS_PER_PAGE)] or [[]]
    names = ["index.html", *(f"page-{number}.html" for number in range(2, len(pages) + 1))]
    common: dict[str, Any] = {"model": model, "thumb_px": THUMB_PX, "names": names, "clusters": len(sheets)}
    for number, (name, page) in enumerate(zip(names, pages, strict=True), start=1):
        (folder / name).write_text(template.render(sheets=page, number=number, **common), "utf-8")


def _overview(folder: Path, sheets: list[Sheet]) -> None:
    """Draw the nearest image of the largest clusters: small enough for the UI."""
    largest = sorted(sheets, key=lambda one: -one.proposal["member_count"])[:OVERVIEW_CLUSTERS]
    columns, side = 8, THUMB_PX // 2
    overview = Image.new("RGB", (columns * side, max(1, -(-len(largest) // columns)) * side), "white")
    for place, sheet in enumerate(largest):
        with Image.open(folder / sheet.png_name) as png:
            first = png.convert("RGB").crop((0, 0, THUMB_PX, THUMB_PX)).resize((side, side))
        overview.paste(first, (place % columns * side, place // columns * side))
    overview.quantize(64, Image.Quantize.FASTOCTREE).save(folder / "overview.png")
