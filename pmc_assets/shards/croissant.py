"""The data set's Croissant description (JSON-LD, MLCommons Croissant 1.0)."""

from typing import Any

import pyarrow as pa

from pmc_assets.shards.facts import CardFacts
from pmc_assets.shards.samples import samples_table

NAME = "pmc_assets"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
NO_CHECKSUM = "https://github.com/mlcommons/croissant/issues/80"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(facts: CardFacts, description: str, citation: str, license_urls: list[str]) -> dict[str, Any]:
    """Describe the published files: one record set per licence group over its out.samples files."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": NAME,
        "description": description,
        "citeAs": citation,
        "license": license_urls or ["https://pmc.ncbi.nlm.nih.gov/about/copyright/"],
        "url": "https://registry.opendata.aws/ncbi-pmc/",
        "version": "1.0.0",
        "datePublished": facts.fetched_at if facts.fetched_at != "unknown" else "1970-01-01",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "repo",
                "name": "repo",
                "description": "The folder that holds this file",
                "contentUrl": "./",
                "encodingFormat": "git+https",
                "sha256": NO_CHECKSUM,
            },
            *(_file_set(group) for group in facts.groups),
        ],
        "recordSet": [_record_set(group) for group in facts.groups],
    }


def _file_set(group: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"samples-{group}-files",
        "name": f"samples-{group}-files",
        "containedIn": {"@id": "repo"},
        "encodingFormat": "application/x-parquet",
        "includes": f"samples/license_group={group}/batch=*/*.parquet",
    }


def _record_set(group: str) -> dict[str, Any]:
    name = f"samples-{group}"
    fields = [_field(name, field) for field in samples_table().columns if not pa.types.is_nested(field.type)]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "key": {"@id": f"{name}/sample_key"}, "field": fields}


def _field(record_set: str, field: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{field.name}",
        "name": field.name,
        "description": (field.metadata or {}).get(b"description", b"").decode(),
        "dataType": _data_type(field.type),
        "source": {"fileSet": {"@id": f"{record_set}-files"}, "extract": {"column": field.name}},
    }


def _data_type(type_: pa.DataType) -> str:
    if pa.types.is_boolean(type_):
        return "sc:Boolean"
    if pa.types.is_integer(type_):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(type_) else "sc:Text"
