"""Subsets: one asset per file of sql/subsets, exported to the lake in every form that its header names."""

import dagster as dg

from pmc_assets.assets.report import OWNERS, timed
from pmc_assets.assets.warehouse import KEY as WAREHOUSE
from pmc_assets.resources.lake import LakeResource
from pmc_assets.subsets.export import Exported, export_spec
from pmc_assets.subsets.run import MANIFEST
from pmc_assets.subsets.spec import SubsetSpec, shipped_subsets

GROUP = "subsets"


def subset_asset(spec: SubsetSpec) -> dg.AssetsDefinition:
    """Make the asset of one subset: its header says what it holds, its query who is in it."""

    @dg.asset(
        key=dg.AssetKey([GROUP, spec.name]),
        description=_description(spec),
        deps=[WAREHOUSE, dg.AssetKey(["out", "shards"]), dg.AssetKey(["out", "attributions"])],
        group_name=GROUP,
        kinds={"sql", "webdataset"},
        owners=OWNERS,
        code_version=spec.digest,
    )
    def subset(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
        store = lake.open()
        with timed() as clock:
            exported = {form: export_spec(store.url, spec, format=form) for form in spec.formats}
        context.log.info("%s: %d samples", spec.name, exported[spec.formats[0]].samples)
        return _materialization(exported, clock.seconds)

    return subset


def _description(spec: SubsetSpec) -> str:
    groups = ", ".join(spec.license_groups) or "all"
    balance = f" At most {spec.balance.most:,} of each {spec.balance.by}, seed {spec.seed}." if spec.balance else ""
    return (
        f"{spec.meaning}.\n\nLicence groups: {groups}.{balance} Forms: {', '.join(spec.formats)}.\n\n"
        f"Files: `subsets/{spec.name}/<form>/`, with `{MANIFEST}`, `ATTRIBUTION.csv` and a card.\n\n"
        f"```sql\n{spec.sql}\n```"
    )


def _materialization(exported: dict[str, Exported], seconds: float) -> dg.MaterializeResult:
    first = next(iter(exported.values()))
    counts = {f"{name}/{value}": count for name, values in first.by.items() for value, count in values.items()}
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": first.samples,
            "dagster/uri": first.url,
            "articles": first.articles,
            "size_bytes": first.size_bytes,
            "not_in_shards": first.not_in_shards,
            "copied_bytes": sum(form.copied_bytes for form in exported.values()),
            "seconds": round(seconds, 3),
            **counts,
        },
        data_version=dg.DataVersion("-".join(form.digest[:16] for form in exported.values())),
    )


subset_assets = [subset_asset(spec) for spec in shipped_subsets().values()]
