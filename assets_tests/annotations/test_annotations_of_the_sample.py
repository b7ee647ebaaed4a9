"""What has to hold on the embedded sample, whose images have known classes, on a seed that nobody chose."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from pmc_assets import schema
from pmc_assets.annotations.annotate import MissingVectors, annotate_partition
from pmc_assets.annotations.cluster_fit import fit_cluster_model
from pmc_assets.annotations.cluster_labels import publish_cluster_labels
from pmc_assets.annotations.consistency import count_contradictions
from pmc_assets.annotations.contact_sheets import labels_form
from pmc_assets.annotations.embed import embed_partition
from pmc_assets.annotations.encoders import load_encoder
from pmc_assets.annotations.label_files import FaultyLabels
from pmc_assets.lake import Lake, Partition

KEY = ("pmcid", "version", "figure_index", "graphic_index")


def with_truth(annotated: Any) -> list[tuple[dict, dict]]:
    truth = {tuple(row[name] for name in KEY): row for row in annotated.truth}
    return [(row, truth[tuple(row[name] for name in KEY)]) for row in annotated.rows(schema.CORE_ANNOTATIONS)]


def tree(lake: Lake, path: str) -> dict[str, bytes]:
    return {name: lake.read_bytes(name) for name in lake.find(path)}


def test_purity_panel_types_and_proposals(annotated: Any, capsys: pytest.CaptureFixture[str]) -> None:
    rows = with_truth(annotated)
    classes, concepts = defaultdict(Counter), defaultdict(Counter)
    for row, true in rows:
        classes[row["cluster_id"]][true["image_class"]] += 1
        concepts[row["cluster_id"]][true["concept"]] += 1
    proposals = annotated.lake.read_table(
        schema.MODELS_CLUSTER_PROPOSALS, Partition.of(model=annotated.model.model_id)
    ).to_pylist()
    named = [row for row in proposals if row["cluster_id"] in concepts]
    right = [row["primary_label"] == [concepts[row["cluster_id"]].most_common(1)[0][0]] for row in named]
    figures = {
        "purity": sum(max(counts.values()) for counts in classes.values()) / len(rows),
        "panel_type": sum(row["panel_type"] == true["panel_type"] for row, true in rows) / len(rows),
        "panel_count": sum(row["panel_count"] == true["panel_count"] for row, true in rows) / len(rows),
        "proposals": sum(right) / len(right),
    }
    with capsys.disabled():
        shares = ", ".join(f"{name} {share:.3f}" for name, share in figures.items())
        print(f"\nseed {annotated.seed}: {len(rows)} images, {len(classes)} clusters: {shares}")
    assert figures["purity"] >= 0.9
    assert figures["panel_type"] >= 0.95
    assert figures["proposals"] >= 0.9


def test_every_image_has_a_vector_and_an_annotation(annotated: Any) -> None:
    images = [tuple(row[name] for name in KEY) for row in annotated.rows(schema.CORE_IMAGES)]
    for table in (schema.CORE_EMBEDDINGS, schema.CORE_ANNOTATIONS):
        assert [tuple(row[name] for name in KEY) for row in annotated.rows(table)] == images
    assert all(result.is_accounted_for for result in annotated.results.values())


def test_vectors_are_normalised_float16(annotated: Any) -> None:
    cell = annotated.cell_of(schema.CORE_EMBEDDINGS, annotated.cells[0])
    vector = annotated.lake.read_table(schema.CORE_EMBEDDINGS, cell)["vector"]
    assert str(vector.type).startswith("fixed_size_list<element: halffloat>[1280]") or "[1280]" in str(vector.type)
    assert sum(value**2 for value in vector[0].as_py()) == pytest.approx(1, abs=0.01)


def test_no_annotation_contradicts_itself(annotated: Any) -> None:
    assert all(
        count_contradictions(annotated.lake.read_table(schema.CORE_ANNOTATIONS, c)) == 0 for c in annotated.cells
    )


def test_same_vectors_and_seed_give_the_same_model(annotated: Any) -> None:
    model, _ = fit_cluster_model(annotated.lake, annotated.model.facts.encoder, seed=0)
    assert model.model_id == annotated.model.model_id


def test_rerun_gives_identical_files_and_encodes_nothing(annotated: Any) -> None:
    before = tree(annotated.lake, "core")
    encoder = load_encoder(annotated.model.facts.encoder, annotated.lake)
    for cell in annotated.cells:
        assert embed_partition(annotated.lake, cell, encoder).details["encoded"] == 0
        annotate_partition(annotated.lake, cell)
    assert tree(annotated.lake, "core") == before


def test_fresh_encoding_gives_identical_vectors(annotated: Any) -> None:
    cell = min(annotated.cells, key=lambda cell: annotated.results[cell].listed)
    target = annotated.cell_of(schema.CORE_EMBEDDINGS, cell)
    path = annotated.lake.table_path("core.embeddings", target)
    before = annotated.lake.read_bytes(path)
    annotated.lake.delete(path)
    embed_partition(annotated.lake, cell, load_encoder(annotated.model.facts.encoder, annotated.lake), workers=1)
    assert annotated.lake.read_bytes(path) == before


def test_images_without_vectors_of_the_model_s_encoder_are_no_silent_gap(annotated: Any) -> None:
    cell = annotated.cells[0]
    path = annotated.lake.table_path("core.embeddings", annotated.cell_of(schema.CORE_EMBEDDINGS, cell))
    before = annotated.lake.read_bytes(path)
    annotated.lake.delete(path)
    with pytest.raises(MissingVectors, match="models/cluster_model"):
        annotate_partition(annotated.lake, cell)
    annotated.lake.write_bytes(path, before)


def test_another_process_gives_the_same_clusters_without_torch(annotated: Any) -> None:
    cell = annotated.cells[0]
    script = (
        "import json, sys\n"
        "from pmc_assets.lake import Lake, Partition\n"
        "from pmc_assets.annotations.annotate import annotate_partition\n"
        "cell = Partition(tuple(map(tuple, json.loads(sys.argv[2]))))\n"
        "print(annotate_partition(Lake(sys.argv[1]), cell).digest, 'torch' in sys.modules)"
    )
    arguments = [sys.executable, "-c", script, annotated.lake.root, json.dumps(cell.values)]
    answer = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [annotated.results[cell].digest, "False"]


def test_experts_win_and_faults_change_nothing(annotated: Any, tmp_path: Path) -> None:
    lake, model_id = annotated.lake, annotated.model.model_id
    folder = tmp_path / "labels" / model_id
    folder.mkdir(parents=True)
    cell = annotated.cells[0]
    cluster = lake.read_table(schema.CORE_ANNOTATIONS, cell)["cluster_id"][0].as_py()
    head = "cluster_id,panel_type,panel_subtype,primary_label,secondary_label,annotator,note\n"
    (folder / "anna.CSV").write_text(f"{head}{cluster},multiple,grid,Maps,choropleth map,Anna,\n")
    publish_cluster_labels(lake, str(tmp_path / "labels"))
    vectors = lake.read_bytes(lake.table_path("core.embeddings", annotated.cell_of(schema.CORE_EMBEDDINGS, cell)))
    annotate_partition(lake, cell)
    labelled = [r for r in lake.read_table(schema.CORE_ANNOTATIONS, cell).to_pylist() if r["cluster_id"] == cluster]
    assert {(r["label_source"], *r["primary_label"], *r["secondary_label"]) for r in labelled} == {
        ("expert", "Maps", "choropleth map")
    }
    assert all(r["is_panel_disputed"] == (r["panel_type"] == "single") for r in labelled)
    assert vectors == lake.read_bytes(
        lake.table_path("core.embeddings", annotated.cell_of(schema.CORE_EMBEDDINGS, cell))
    )
    before = tree(lake, "")
    (folder / "ben.csv").write_text(f"{head}99999,multiple,one,Nowhere,choropleth map,Ben,\n")
    with pytest.raises(FaultyLabels) as caught:
        publish_cluster_labels(lake, str(tmp_path / "labels"))
    assert len(caught.value.faults) == 4
    assert all(fault.startswith("ben.csv:2: ") for fault in caught.value.faults)
    assert tree(lake, "") == before
    publish_cluster_labels(lake, str(tmp_path / "none"))
    annotate_partition(lake, cell)


def test_contact_sheets_show_every_cluster(annotated: Any, sheets: dict[str, Any]) -> None:
    folder = Path(sheets["page"].value.removeprefix("file://")).parent
    page, clusters = (folder / "index.html").read_text(), annotated.model.facts.clusters
    assert len(list(folder.glob("*.png"))) == clusters + 1
    assert all(f'id="cluster-{number}"' in page for number in range(clusters))
    assert (folder / "overview.png").stat().st_size < 75_000
    assert (folder / "labels.csv").read_text().count("\n") == clusters + 1


def test_form_filled_with_proposals_is_accepted_once_signed(annotated: Any, tmp_path: Path) -> None:
    cell = Partition.of(model=annotated.model.model_id)
    proposals = annotated.lake.read_table(schema.MODELS_CLUSTER_PROPOSALS, cell).to_pylist()
    folder = tmp_path / annotated.model.model_id
    folder.mkdir()
    lines = labels_form(proposals).splitlines()
    (folder / "signed.csv").write_text("\n".join([lines[0], *(line[:-1] + "Anna," for line in lines[1:])]))
    result = publish_cluster_labels(annotated.lake, str(tmp_path))
    proposed = sum(bool(proposal["primary_label"]) for proposal in proposals)
    assert result.details["clusters_resolved"] == proposed >= 0.9 * annotated.model.facts.clusters
    publish_cluster_labels(annotated.lake, str(tmp_path / "none"))
