"""One annotated lake of a small sample for all tests of annotations; its seed is drawn anew for every session."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_lake import copy_encoders
from stages import sync

from pmc_assets import schema
from pmc_assets.annotations.annotate import annotate_partition
from pmc_assets.annotations.cluster_fit import fit_cluster_model
from pmc_assets.annotations.cluster_model import ClusterModel
from pmc_assets.annotations.embed import embed_partition
from pmc_assets.annotations.encoders import load_encoder
from pmc_assets.annotations.proposals import propose_labels
from pmc_assets.assets.cluster_model import models_contact_sheets
from pmc_assets.figures.parse import parse_partition
from pmc_assets.lake import Lake, Partition
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult
from pmc_assets.sample.bucket import write_sample
from pmc_assets.source.open import open_source

ARTICLES = 100
ENCODER = "efficientnet-lite0"


@dataclass
class AnnotatedSample:
    """The lake, the truth about its images, and what the stages said."""

    lake: Lake
    seed: int
    truth: list[dict]
    cells: list[Partition]
    model: ClusterModel
    results: dict[Partition, StageResult] = field(default_factory=dict)

    def rows(self, table: schema.Table) -> list[dict]:
        """Read a table's rows over all cells."""
        parts = [self.lake.read_table(table, self.cell_of(table, cell)) for cell in self.cells]
        return pa.concat_tables([part for part in parts if part.num_rows]).to_pylist()

    def cell_of(self, table: schema.Table, cell: Partition) -> Partition:
        has_encoder = table.partitioned_by[0] == "encoder"
        return Partition.of(encoder=ENCODER, **dict(cell.values)) if has_encoder else cell


def filled_cells(lake: Lake) -> list[Partition]:
    paths = lake.find("core/images", "/images.parquet")
    return [Partition.of(**dict(part.split("=") for part in path.split("/")[2:-1])) for path in paths]


@pytest.fixture(scope="session")
def annotated(encoder_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> AnnotatedSample:
    folder, seed = tmp_path_factory.mktemp("annotated"), random.SystemRandom().randrange(10**6)
    written = write_sample(str(folder / "bucket"), ARTICLES, seed)
    lake = Lake(str(folder / "lake"))
    synced = sync(open_source((folder / "bucket").as_uri()), lake)
    for batch, group in synced.packages:
        parse_partition(lake, Partition.of(license_group=group, batch=batch))
    cells = filled_cells(lake)
    copy_encoders(encoder_lake, folder / "lake")
    encoder = load_encoder(ENCODER, lake)
    for cell in cells:
        embed_partition(lake, cell, encoder, workers=2)
    model, _ = fit_cluster_model(lake, ENCODER, seed=0)
    propose_labels(lake)
    results = {cell: annotate_partition(lake, cell) for cell in cells}
    truth = pq.read_table(Path(written.truth_path.removeprefix("file://"))).to_pylist()
    return AnnotatedSample(lake, seed, truth, cells, model, results)


@pytest.fixture(scope="session")
def sheets(annotated: AnnotatedSample) -> dict[str, dg.MetadataValue]:
    """The metadata that the asset gives after it has written the contact sheets of the annotated lake."""
    result = dg.materialize([models_contact_sheets], resources={"lake": LakeResource(url=annotated.lake.root)})
    return dict(result.asset_materializations_for_node("models__contact_sheets")[0].metadata)
