"""The samples' types as Hugging Face's `datasets` names them. Reading and writing stay out."""

import json
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from pmc_assets.schema import PARTITION_COLUMNS, column
from pmc_assets.shards.member import FIGURE_IMAGES_SQL, empty_members_sql
from pmc_assets.shards.samples import samples_table
from pmc_assets.warehouse.views import parquet_view

IMAGE = column(
    "image",
    pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())]),
    "The image file as the source offers it, and its name",
)
LICENSE_GROUP = column("license_group", pa.string(), PARTITION_COLUMNS["license_group"])
_LEFT_OUT = {"part_path", "offset_bytes"}


def parquet_schema() -> pa.Schema:
    """Give the schema of out.parquet: key, image, the columns of out.samples but for places inside the lake.

    The schema's metadata says to `datasets` that `image` is an image.
    """
    columns = [f for f in samples_table().columns if f.name not in _LEFT_OUT]
    plain = pa.schema([columns[0], IMAGE, LICENSE_GROUP, *columns[1:]])
    info = {"info": {"features": parquet_features(plain)}}
    return plain.with_metadata(
        {"huggingface": json.dumps(info), "description": "One row per sample, with the image's original bytes"}
    )


def parquet_features(schema: pa.Schema) -> dict[str, Any]:
    """Give the features of out.parquet as `datasets` writes them to JSON."""
    return {f.name: {"_type": "Image"} if f.name == "image" else feature(f.type) for f in schema}


def shard_features() -> dict[str, Any]:
    """Give the features of a sample in the shards as the WebDataset loader of `datasets` names its fields."""
    return {
        "jpg": {"_type": "Image"},
        "txt": feature(pa.string()),
        "json": feature(member_type()),
        "__key__": feature(pa.string()),
        "__url__": feature(pa.string()),
    }


@cache
def member_type() -> pa.StructType:
    """Give the Arrow type of the JSON member, as its query over no samples says it."""
    with duckdb.connect() as connection:
        connection.execute(parquet_view("samples", samples_table().arrow, (), ""))
        connection.execute(f"create view figure_images as {FIGURE_IMAGES_SQL}")
        members = connection.sql(empty_members_sql(), params={"license_group": ""}).to_arrow_table()
        return members.schema.field("member").type


def feature(type_: pa.DataType) -> dict[str, Any]:
    """Translate an Arrow type into the JSON form of a feature."""
    if pa.types.is_struct(type_):
        return {f.name: feature(f.type) for f in type_}
    if pa.types.is_list(type_):
        return {"feature": feature(type_.value_type), "_type": "List"}
    names = {pa.float32(): "float32", pa.float64(): "float64", pa.bool_(): "bool"}
    return {"dtype": names.get(type_, str(type_)), "_type": "Value"}
