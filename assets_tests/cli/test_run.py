"""Which phases of a run are worked on, and what is said to be missing."""

import contextlib
import io

import dagster as dg
import pytest
from rich.console import Console

from pmc_assets.assets.partitions import batches, cells
from pmc_assets.assets.sync import FILELISTS_KEY, INVENTORY_KEY, VERSIONS_KEY
from pmc_assets.cli import run, status
from pmc_assets.cli.phases import Phase
from pmc_assets.cli.worker import Outcome
from pmc_assets.lake import Lake
from pmc_assets.licenses import LICENSE_GROUPS


def test_without_the_inventory_no_phase_is_begun(tmp_path, monkeypatch):
    begun = []

    def fail(pool, phase, keys):
        begun.append(phase)
        yield from (Outcome("", key, False, "no such bucket") for key in keys)

    both = [Phase(frozenset([key]), None) for key in (INVENTORY_KEY, dg.AssetKey("warehouse"))]
    monkeypatch.setattr(run, "phases", lambda defs, selection: both)
    monkeypatch.setattr(run, "_pool", lambda jobs: contextlib.nullcontext())
    monkeypatch.setattr(run, "_run_phase", fail)
    with dg.DagsterInstance.ephemeral() as instance:
        runner = run.Runner(dg.Definitions(), instance, Lake(str(tmp_path)), Console(file=io.StringIO()))
        assert [one.error for one in runner.run(dg.AssetSelection.all())] == ["no such bucket"]
        assert begun == both[:1]
        assert len(runner.sync()) == 1


def test_cells_of_a_failed_batch_are_left_out(tmp_path, monkeypatch):
    begun = []

    def fail_first(pool, phase, keys):
        begun.extend(keys)
        yield from (Outcome("", key, key != "PMC1xx", "") for key in keys)

    both = [Phase(frozenset([VERSIONS_KEY]), batches), Phase(frozenset([FILELISTS_KEY]), cells)]
    monkeypatch.setattr(run, "phases", lambda defs, selection: both)
    monkeypatch.setattr(run, "_pool", lambda jobs: contextlib.nullcontext())
    monkeypatch.setattr(run, "_run_phase", fail_first)
    monkeypatch.setattr(run, "lake_batches", lambda lake, instance: ["PMC1xx", "PMC2xx"])
    with dg.DagsterInstance.ephemeral() as instance:
        runner = run.Runner(dg.Definitions(), instance, Lake(str(tmp_path)), Console(file=io.StringIO()))
        runner.run(dg.AssetSelection.all())
    assert begun == ["PMC1xx", "PMC2xx", *(f"PMC2xx|{group}" for group in LICENSE_GROUPS)]


def test_a_selection_of_no_asset_is_an_error(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        runner = run.Runner(dg.Definitions(), instance, Lake(str(tmp_path)), Console(file=io.StringIO()))
        with pytest.raises(ValueError, match="no asset"):
            runner.run(dg.AssetSelection.assets())


def test_a_batch_that_was_never_run_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(status, "lake_batches", lambda lake, instance: ["PMC1xx", "PMC2xx"])
    monkeypatch.setattr(status, "cells_with_articles", lambda lake, instance: [])

    @dg.asset(partitions_def=batches)
    def versions() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("versions", partition="PMC1xx"))
        missing = status.missing_partitions(Lake(str(tmp_path)), dg.Definitions(assets=[versions]), instance)
    assert missing == {"versions": ["PMC2xx"]}
