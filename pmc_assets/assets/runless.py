"""Materialisations that one step reports for others: partitions that need no run of their own."""

from collections.abc import Mapping

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

CODE_VERSION = "runless"


MATERIALIZATION = dg.DagsterEventType.ASSET_MATERIALIZATION
OBSERVATION = dg.DagsterEventType.ASSET_OBSERVATION


def known_versions(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    partition_keys: list[str] | None = None,
    event_type: dg.DagsterEventType = MATERIALIZATION,
) -> dict[str, str]:
    """Give the data version of the last event of every partition that has one."""
    tags = instance.event_log_storage.get_latest_tags_by_partition(key, event_type, [DATA_VERSION_TAG], partition_keys)
    return {partition_key: of_partition.get(DATA_VERSION_TAG, "") for partition_key, of_partition in tags.items()}


def report_changed(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    versions: Mapping[str, str],
    *,
    inputs: Mapping[str, Mapping[dg.AssetKey, str]] | None = None,
    rows: Mapping[str, int] | None = None,
) -> int:
    """Report a materialisation for every partition whose data version is another than the last one's.

    `inputs` gives, by partition, the data versions of what it was made from. Returns how many were reported.
    """
    known = known_versions(instance, key, sorted(versions))
    changed = {name: version for name, version in versions.items() if known.get(name) != version}
    for name, version in sorted(changed.items()):
        metadata = {"dagster/partition_row_count": rows[name]} if rows and name in rows else {}
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                key, partition=name, tags=_tags(version, (inputs or {}).get(name, {})), metadata=metadata
            )
        )
    return len(changed)


def observe_changed(instance: dg.DagsterInstance, key: dg.AssetKey, versions: Mapping[str, str]) -> int:
    """Report an observation for every partition of an asset that nothing runs, if its data version is a new one.

    Returns how many were reported.
    """
    known = known_versions(instance, key, sorted(versions), OBSERVATION)
    changed = {name: version for name, version in versions.items() if known.get(name) != version}
    for name, version in sorted(changed.items()):
        instance.report_runless_asset_event(dg.AssetObservation(key, partition=name, tags=_tags(version, {})))
    return len(changed)


def _tags(version: str, inputs: Mapping[dg.AssetKey, str]) -> dict[str, str]:
    tags = {DATA_VERSION_TAG: version, DATA_VERSION_IS_USER_PROVIDED_TAG: "true"}
    if inputs:
        tags[CODE_VERSION_TAG] = CODE_VERSION
    for key, input_version in inputs.items():
        tags[get_input_data_version_tag(key)] = input_version
        tags[get_input_event_pointer_tag(key)] = NULL_EVENT_POINTER
    return tags
