from pathlib import Path
from typing import Any

import dagster as dg

from pmc_assets.assets.annotations import core_annotations
from pmc_assets.assets.cluster_model import (
    LABELS,
    MODEL,
    PROPOSALS,
    models_cluster_labels,
)
from pmc_assets.assets.embeddings import core_embeddings

HEAD = "cluster_id,panel_type,panel_subtype,primary_label,secondary_label,annotator,note\n"


def run_labels(annotated: Any, folder: Path) -> dg.ExecuteInProcessResult:
    config = {"ops": {LABELS.to_python_identifier(): {"config": {"labels_url": str(folder)}}}}
    resources = {"lake": annotated.resource}
    return dg.materialize([models_cluster_labels], resources=resources, run_config=config, raise_on_error=False)


def test_labels_with_faults_fail_the_asset_with_every_fault(annotated: Any, tmp_path: Path) -> None:
    folder = tmp_path / annotated.model.model_id
    folder.mkdir()
    (folder / "a.csv").write_text(f"{HEAD}0,multiple,single panel,Maps,,Ana,\n0,,,Mops,,Ben,\n")
    result = run_labels(annotated, tmp_path)
    failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    text = "\n".join(error.cause.message if error.cause else error.message for error in failures)
    assert not result.success
    assert "a.csv:2: " in text and "a.csv:3: 'Mops'" in text


def test_labels_change_their_data_version_and_nothing_else_s(annotated: Any, tmp_path: Path) -> None:
    folder = tmp_path / annotated.model.model_id
    folder.mkdir()
    versions = []
    for concept in ("Maps", "Maps", "Tables"):
        (folder / "a.csv").write_text(f"{HEAD}0,,,{concept},,Ana,\n")
        event = run_labels(annotated, tmp_path).asset_materializations_for_node(LABELS.to_python_identifier())[0]
        versions.append((event.tags or {})["dagster/data_version"])
    assert versions[0] == versions[1] != versions[2]
    run_labels(annotated, tmp_path / "none")


def test_annotations_hang_on_model_and_labels_and_embeddings_do_not() -> None:
    assert {MODEL, PROPOSALS, LABELS} <= set(core_annotations.dependency_keys)
    assert not {MODEL, PROPOSALS, LABELS} & set(core_embeddings.dependency_keys)


def test_contact_sheets_are_reachable_from_the_metadata(sheets: dict[str, Any]) -> None:
    for name in ("page", "png_of_first_cluster"):
        assert Path(sheets[name].value.removeprefix("file://")).is_file()
    assert sheets["overview"].value.startswith("![](data:image/png;base64,")
