"""Choose a subset's samples: run its query, balance, limit, and find the samples in the shards. Bytes stay out."""

from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from pmc_assets.lake import Lake, Partition
from pmc_assets.subsets.spec import BadSubset, SubsetSpec
from pmc_assets.warehouse.catalog import FROM_FILENAME, SHARDS, shards_table
from pmc_assets.warehouse.guard import QueryError, check_query, one_line
from pmc_assets.warehouse.listing import Snapshot
from pmc_assets.warehouse.views import literal, parquet_view, texts

WORK = "memory.main"
SELECTED = f"{WORK}.subset_samples"
UNIT_OF = f"{WORK}.subset_units"
KEPT_COLUMNS = "s.sample_key, s.license_group, s.batch, s.pmcid, s.version, s.license_code, s.primary_label, s.split"
PLACES = ("shard_path", "sample_offset_bytes", "sample_size_bytes")
IMAGE_PLACES = ("image_offset_bytes", "image_size_bytes")


@dataclass(frozen=True)
class Selection:
    """What was chosen, counted; the samples are the table SELECTED of the connection's memory.

    `inputs` is path to version of every file of the lake that the export depends on.
    """

    samples: int
    articles: int
    size_bytes: int
    not_in_shards: int
    by: dict[str, dict[str, int]] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)


def select_samples(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    spec: SubsetSpec,
    snapshot: Snapshot,
    *,
    with_images: bool = False,
) -> Selection:
    """Choose the samples of a subset into the table SELECTED of the connection's memory.

    Balance keeps, of each value, the first `most` samples in the order of md5(seed:sample_key); a sample with several
    values must be among the first of each, so that no value has more than `most`. The limit keeps the first samples
    in the same order. Shape: one row per sample that a shard holds; `with_images` adds where in the shard its image is.
    Raises: QueryError for a query that does not run or gives no sample_key; BadSubset for keys that are no samples.
    """
    _find_asked(connection, spec)
    _keep(connection, spec)
    inputs = _place(connection, lake, snapshot, (*PLACES, *IMAGE_PLACES) if with_images else PLACES)
    return _count(connection, inputs)


def _find_asked(connection: duckdb.DuckDBPyConnection, spec: SubsetSpec) -> None:
    by = ""
    if spec.balance:
        check_query(connection, f"select ({spec.balance.by}\n) from out.samples as s")
        by = f", ({spec.balance.by}\n) as balanced_by"
    found = f"create table {WORK}.subset_found as select {KEPT_COLUMNS}{by} from out.samples as s"
    if spec.where:
        where = check_query(connection, f"from out.samples as s where ({spec.where}\n)").removeprefix(
            "from out.samples as s"
        )
        _run(connection, found + where)
        return
    query = check_query(connection, spec.sql)
    _run(connection, f"create temp view subset_asked as {query}")
    columns = [row[0] for row in _run(connection, "describe subset_asked").fetchall()]
    if "sample_key" not in columns:
        raise QueryError(f"the query of subset {spec.name} gives {', '.join(columns)}, but no sample_key")
    _run(connection, f"create table {WORK}.subset_keys as select distinct sample_key from subset_asked")
    _run(connection, f"{found} semi join {WORK}.subset_keys using (sample_key)")
    unknown = _run(
        connection,
        f"select sample_key from {WORK}.subset_keys anti join {WORK}.subset_found using (sample_key)"
        " order by 1 limit 1",
    ).fetchall()
    if unknown:
        raise BadSubset(f"the query of subset {spec.name} gives {unknown[0][0]!r}, which is no sample of this lake")


def _keep(connection: duckdb.DuckDBPyConnection, spec: SubsetSpec) -> None:
    where = f"license_group in ({', '.join(map(literal, spec.license_groups))})" if spec.license_groups else "true"
    order = f"md5({literal(f'{spec.seed}:')} || sample_key), sample_key"
    source = f"(from {WORK}.subset_found where {where})"
    if spec.balance:
        [(type_name,)] = _run(connection, f"select any_value(typeof(balanced_by)) from {WORK}.subset_found").fetchall()
        each = (
            "unnest(if(len(coalesce(balanced_by, [])) = 0, [null], list_distinct(balanced_by)))"
            if (type_name or "").endswith("[]")
            else "balanced_by"
        )
        source = f"""(
            from {source} semi join (
                select sample_key
                from (
                    select sample_key, row_number() over (partition by value order by {order}) as place
                    from (select sample_key, {each} as value from {source})
                )
                group by sample_key
                having max(place) <= {spec.balance.most}
            ) using (sample_key)
        )"""
    limit = f"order by {order} limit {spec.limit}" if spec.limit else ""
    is_drawn = spec.balance or spec.limit
    _run(connection, f"create {'table' if is_drawn else 'view'} {WORK}.subset_kept as from {source} {limit}")


def _place(
    connection: duckdb.DuckDBPyConnection, lake: Lake, snapshot: Snapshot, columns: tuple[str, ...]
) -> dict[str, str]:
    cells = _run(connection, f"select distinct license_group, batch from {WORK}.subset_kept").fetchall()
    wanted = {Partition.of(license_group=group, batch=batch) for group, batch in cells}
    inputs = {
        path: version
        for table in ("out.samples", SHARDS, "out.attributions")
        for path, version in snapshot.files.get(table, {}).items()
        if Partition.from_path(path) in wanted
    }
    indexes = [f"{lake.duckdb_root}/{path}" for path in inputs if path.startswith("out/shards/")]
    asked = pa.schema([shards_table().arrow.field(name) for name in ("sample_key", *columns)])
    view = parquet_view("subset_shards", asked, (), texts(indexes), FROM_FILENAME[SHARDS])
    _run(connection, view.replace("create view", "create temp view", 1))
    places = ", ".join(f"p.{name}" for name in columns)
    _run(
        connection,
        f"create table {SELECTED} as select k.*, {places} from {WORK}.subset_kept as k"
        " join subset_shards as p using (sample_key)",
    )
    return inputs


def _count(connection: duckdb.DuckDBPyConnection, inputs: dict[str, str]) -> Selection:
    samples, articles, size_bytes = _run(
        connection,
        "select count(*), count(distinct (pmcid, version)), coalesce(sum(sample_size_bytes), 0)::bigint"
        f" from {SELECTED}",
    ).fetchall()[0]
    kept = _run(connection, f"select count(*) from {WORK}.subset_kept").fetchall()[0][0]
    by = {
        name: {
            str(value): count
            for value, count in _run(
                connection, f"select {value} as v, count(*) from {SELECTED} group by 1 order by 2 desc, 1"
            ).fetchall()
        }
        for name, value in {
            "license_group": "license_group",
            "license_code": "coalesce(license_code, 'none')",
            "primary_label": "unnest(if(len(coalesce(primary_label, [])) = 0, ['none'], primary_label))",
            "split": "split",
        }.items()
    }
    return Selection(samples, articles, size_bytes, kept - samples, by, inputs)


def _run(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    try:
        return connection.execute(sql)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise QueryError(one_line(error)) from None
