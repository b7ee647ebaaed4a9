"""Which phases of a run are worked on."""

import contextlib
import io

import dagster as dg
from rich.console import Console

from pmc_assets.assets.sync import INVENTORY_KEY
from pmc_assets.cli import run
from pmc_assets.cli.phases import Phase
from pmc_assets.cli.worker import Outcome
from pmc_assets.lake import Lake


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
