"""What the sample's images truly show: a table beside the bucket, for tests and benchmarks; no stage reads it."""

from typing import Any

import pyarrow as pa

from pmc_assets.sample.drawing.classes import CLASSES, MIXED
from pmc_assets.sample.drawing.panels import panel_subtype
from pmc_assets.sample.figure_plan import Figure, MediaFile
from pmc_assets.sample.plan import ArticlePlan

TRUTH_SCHEMA = pa.schema(
    [
        ("pmcid", pa.string()),
        ("version", pa.int32()),
        ("figure_index", pa.int32()),
        ("graphic_index", pa.int32()),
        ("image_name", pa.string()),
        ("kind", pa.string()),
        ("image_class", pa.string()),
        ("panel_classes", pa.list_(pa.string())),
        ("concept", pa.string()),
        ("panel_type", pa.string()),
        ("panel_subtype", pa.string()),
        ("panel_count", pa.int32()),
        ("panel_letters", pa.string()),
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("picture_id", pa.string()),
        ("is_duplicate", pa.bool_()),
        ("fault", pa.string()),
        ("deposit_trait", pa.string()),
    ]
)


def truth_row(
    plan: ArticlePlan, figure: Figure, figure_index: int, graphic_index: int, file: MediaFile
) -> dict[str, Any]:
    """Describe one image. `concept` is null for a mixture; equal `picture_id` means an exact or near duplicate."""
    picture = file.picture
    assert picture is not None
    return {
        "pmcid": plan.pmcid,
        "version": plan.version,
        "figure_index": figure_index,
        "graphic_index": graphic_index,
        "image_name": file.name,
        "kind": figure.kind,
        "image_class": picture.visual_class,
        "panel_classes": list(picture.classes),
        "concept": None if picture.visual_class == MIXED else CLASSES[picture.visual_class].concept,
        "panel_type": "single" if len(picture.classes) == 1 else "multiple",
        "panel_subtype": panel_subtype(picture.rows),
        "panel_count": len(picture.classes),
        "panel_letters": picture.letters,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "picture_id": "-".join(map(str, picture.seed_key)),
        "is_duplicate": picture.is_shared,
        "fault": file.fault,
        "deposit_trait": plan.deposit,
    }
