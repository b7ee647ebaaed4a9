"""One copy of the embedded sample's lake for all tests of annotations, which change it."""

import shutil
from dataclasses import dataclass, field

import dagster as dg
import pyarrow as pa
import pytest
from made_lake import MadeLake

from pmc_assets import schema
from pmc_assets.annotations.annotate import annotate_partition
from pmc_assets.annotations.cluster_model import ClusterModel, load_cluster_model
from pmc_assets.annotations.vectors import embeddings_partition
from pmc_assets.assets.cluster_model import models_contact_sheets
from pmc_assets.lake import Lake, Partition
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult

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

    @property
    def resource(self) -> LakeResource:
        return LakeResource(url=self.lake.root, batch_ids=self.lake.settings()["batch_ids"])

    def rows(self, table: schema.Table) -> list[dict]:
        """Read a table's rows over all cells."""
        parts = [self.lake.read_table(table, self.cell_of(table, cell)) for cell in self.cells]
        return pa.concat_tables([part for part in parts if part.num_rows]).to_pylist()

    def cell_of(self, table: schema.Table, cell: Partition) -> Partition:
        has_encoder = table.partitioned_by[0] == "encoder"
        return embeddings_partition(cell, ENCODER) if has_encoder else cell


def filled_cells(lake: Lake) -> list[Partition]:
    return [Partition.from_path(path) for path in lake.find("core/images", "/images.parquet")]


@pytest.fixture(scope="session")
def annotated(sample_lake: MadeLake, tmp_path_factory: pytest.TempPathFactory) -> AnnotatedSample:
    folder = tmp_path_factory.mktemp("annotated") / "lake"
    shutil.copytree(sample_lake.root, folder)
    lake = Lake(str(folder))
    cells = filled_cells(lake)
    results = {cell: annotate_partition(lake, cell) for cell in cells}
    seed, model = int(sample_lake.variables["PMC_SAMPLE_SEED"]), load_cluster_model(lake)
    return AnnotatedSample(lake, seed, sample_lake.truth(), cells, model, results)


@pytest.fixture(scope="session")
def sheets(annotated: AnnotatedSample) -> dict[str, dg.MetadataValue]:
    """The metadata that the asset gives after it has written the contact sheets of the annotated lake."""
    result = dg.materialize([models_contact_sheets], resources={"lake": annotated.resource})
    return dict(result.asset_materializations_for_node("models__contact_sheets")[0].metadata)
