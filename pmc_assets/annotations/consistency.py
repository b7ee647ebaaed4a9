"""Count rows of annotations that contradict themselves. Whether a label is right stays out."""

import pyarrow as pa

from pmc_assets.annotations.taxonomy import Taxonomy, read_taxonomy


def count_contradictions(annotations: pa.Table) -> int:
    """Count rows with an unknown concept, a local one without its parent, or panel columns that disagree."""
    taxonomy = read_taxonomy()
    columns = ["primary_label", "secondary_label", "panel_type", "panel_subtype", "panel_count"]
    return sum(not _agrees(row, taxonomy) for row in annotations.select(columns).to_pylist())


def _agrees(row: dict, taxonomy: Taxonomy) -> bool:
    primary = set(row["primary_label"])
    has_parents = all(
        name in taxonomy.locals_ and taxonomy.locals_[name].parent in primary for name in row["secondary_label"]
    )
    is_known = primary <= taxonomy.globals_.keys()
    is_subtype = row["panel_subtype"] in taxonomy.panel_types[row["panel_type"]]
    return has_parents and is_known and is_subtype and (row["panel_count"] > 1) == (row["panel_type"] == "multiple")
