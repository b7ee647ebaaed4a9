"""The JSON member of a sample: its keys, as SQL over out.samples, and their meanings. Tar layout stays out.

The first 25 keys are those of BIOMEDICA with the types that its readers expect: a missing value is an empty one of
the right type. The others are ours, with null for a missing value. Every sample has every key, in this order.
`ARTICLE_KEYS` are the same for all samples of an article, and rendered once.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

TEXT_KEY = "article_text"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the JSON member: `sql` over a row of out.samples (alias s).

    `empty` says what a missing value looks like to a reader who infers types: a value, null or an empty list.
    """

    sql: str
    meaning: str
    empty: Literal["value", "null", "list"] = "value"


def _text(column: str) -> str:
    return f"coalesce(s.{column}, '')"


IMAGE_KEYS = {
    "image_file_name": Key("s.image_name", "File name of the image as the source gives it"),
    "image_cluster_id": Key(_text("figure_id"), "The figure's id (fig/@id), as in BIOMEDICA; not a cluster"),
    "image_hash": Key("s.image_sha256", "sha256 of the original file's bytes, hex"),
    "image_label_id": Key("coalesce(s.cluster_id::varchar, '')", "The image's cluster, as in BIOMEDICA"),
    "image_panel_type": Key(_text("panel_type"), "single or multiple"),
    "image_panel_subtype": Key(_text("panel_subtype"), "one, grid, row, column or mixed"),
    "image_primary_label": Key("s.primary_label", "Global concepts of the taxonomy", "list"),
    "image_secondary_label": Key("s.secondary_label", "Local concepts of the taxonomy", "list"),
    "image_size": Key("[s.width_px, s.height_px]", "Width and height in px"),
    "image_set": Key("f.image_names", "File names of all images of the figure, in order"),
    "image_context": Key(
        "{'section': array_to_string(s.section_path, ' > '), 'group_caption': coalesce(s.group_caption, ''), "
        "'mentions': list_transform(s.mentions, lambda mention: mention.text)}",
        "Where the figure stands and what the text says of it: section, group_caption, mentions",
    ),
}

ARTICLE_KEYS = {
    "article_accession_id": Key("s.pmcid", "PMC's id"),
    "article_title": Key(_text("title"), "Title"),
    "article_journal": Key(_text("journal_title"), "Journal"),
    "article_date": Key(_text("published_date"), "Date of publication, ISO 8601 as precise as stated"),
    "article_abstract": Key(_text("abstract"), "Abstract"),
    "article_mesh_terms": Key("s.mesh_terms", "MeSH descriptors", "list"),
    "article_keywords": Key("s.keywords", "Keywords", "list"),
    "article_reference_ids": Key(
        "list_transform(list_filter(s.reference_ids, lambda id: starts_with(id, 'pubmed:')), lambda id: id[8:])",
        "PMIDs of the references",
        "list",
    ),
    "article_reference_count": Key("coalesce(s.reference_count, 0)", "Number of references"),
    "article_reference_list": Key("s.reference_ids", "References as pubmed:123 or doi:10...", "list"),
    "article_subject": Key("s.subjects", "Subjects", "list"),
    "article_citation": Key(_text("citation"), "Citation as NLM gives it"),
    "article_license": Key(_text("license_code"), "Licence code"),
    TEXT_KEY: Key("''", "Full text, only when asked for; else empty"),
}

OWN_KEYS = {
    "pmcid": Key("s.pmcid", "PMC's id"),
    "version": Key("s.version", "Deposit of the article"),
    "pmid": Key("s.pmid", "PubMed's id", "null"),
    "doi": Key("s.doi", "DOI", "null"),
    "figure_label": Key("s.figure_label", "Label as printed", "null"),
    "figure_index": Key("s.figure_index", "Position of the figure in the article, from 0"),
    "graphic_index": Key("s.graphic_index", "Position of the graphic in the figure, from 0"),
    "kind": Key("s.kind", "figure, scheme, table ..."),
    "license_code": Key("s.license_code", "Licence as NLM states it", "null"),
    "license_group": Key("$license_group", "commercial, noncommercial or other"),
    "license_url": Key("s.license_url", "Licence URL that the article states", "null"),
    "image_sha256": Key("s.image_sha256", "sha256 of the original file's bytes, hex"),
    "image_phash": Key("printf('%016x', s.image_phash)", "64-bit perceptual hash, 16 hex digits"),
    "image_original_format": Key("s.image_format", "Format of the original file"),
    "image_is_transcoded": Key("s.image_format <> 'jpeg'", "The .jpg member was made from another format"),
    "split": Key("s.split", "train, validation or test"),
    "year": Key("s.year", "Year of publication", "null"),
    "caption_language": Key("s.caption_language", "Language of the caption", "null"),
    "mentions": Key("s.mentions", "Paragraphs that point at the figure: section, text", "list"),
    "subcaptions": Key("s.subcaptions", "Lettered parts of the caption: panel_id, text", "list"),
    "source_url": Key("s.source_url", "Where the source offers the image", "null"),
    "is_retracted": Key("s.is_retracted", "Retracted according to NLM or PubMed"),
    "is_duplicate_of": Key("s.is_duplicate_of", "Earlier image with the same bytes", "null"),
    "is_default": Key("s.is_default", "Passes the default filter"),
}

BIOMEDICA_KEYS = IMAGE_KEYS | ARTICLE_KEYS
KEYS = BIOMEDICA_KEYS | OWN_KEYS

_HAS_TYPE = {"null": "({}) is not null", "list": "len({}) > 0"}


def empty_members_sql() -> str:
    """Give the query whose column `member` has the type of the JSON member ($license_group bound)."""
    return f"select {_struct(KEYS)} as member {_SOURCES}"


def samples_sql() -> str:
    """Give the query of every sample of `samples` ($license_group bound): place, text, JSON but for the article's part.

    `figure_images` must hold image_names by figure.
    Shape: one row per sample; the JSON member is `before`, the article's part and `after`, three objects in one.
    `says_types` has a bit per key that can be null or an empty list, set where it is neither: a reader who looks at the
    value learns its type.
    """
    return f"""
select s.sample_key, s.pmcid, s.version, s.caption as text, s.image_format, s.image_name, s.part_path, s.offset_bytes,
    s.size_bytes, to_json({_struct(IMAGE_KEYS)}) as before, to_json({_struct(OWN_KEYS)}) as after,
    {_says_types(IMAGE_KEYS | OWN_KEYS)} as says_types
{_SOURCES}
"""


def articles_sql(include_article_text: bool) -> str:
    """Give the query of every article of `samples`, in their order: its part of the JSON member, and `says_types`.

    With article text, `articles` must be there too. Shape: one row per run of samples of the same article.
    """
    keys = ARTICLE_KEYS | ({TEXT_KEY: Key("coalesce(t.text, '')", "")} if include_article_text else {})
    return f"""
select s.pmcid, s.version, to_json({_struct(keys)}) as article, {_says_types(ARTICLE_KEYS)} as says_types
from samples as s {_TEXT_JOIN if include_article_text else ""}
qualify s.pmcid is distinct from lag(s.pmcid) over () or s.version is distinct from lag(s.version) over ()
"""


def columns_of(sql: str, columns: Iterable[str]) -> list[str]:
    """Name those of the columns of out.samples that a query here asks for."""
    asked = set(re.findall(r"\bs\.(\w+)", sql)) | {"pmcid", "version", "figure_index"}
    return [column for column in columns if column in asked]


def _says_types(keys: dict[str, Key]) -> str:
    bits = {name: 1 << bit for bit, name in enumerate(name for name, key in KEYS.items() if key.empty != "value")}
    return " + ".join(
        f"({_HAS_TYPE[key.empty].format(key.sql)})::bigint * {bits[name]}" for name, key in keys.items() if name in bits
    )


def _struct(keys: dict[str, Key]) -> str:
    entries = ", ".join(f"'{name}': {key.sql}" for name, key in keys.items())
    return f"{{{entries}}}"


_SOURCES = "from samples as s join figure_images as f using (pmcid, version, figure_index)"

FIGURE_IMAGES_SQL = """
select s.pmcid, s.version, s.figure_index, list(s.image_name order by s.graphic_index) as image_names
from samples as s
group by all
"""

_TEXT_JOIN = """left join (
    select pmcid, version, array_to_string(list_transform(body_paragraphs, lambda p: p.text), chr(10)) as text
    from articles
    where pmcid in (select pmcid from samples)
) as t using (pmcid, version)"""
