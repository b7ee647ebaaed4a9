"""The papers of an export: attributions, the list of captions, article lines, sizes, and the card."""

import json
from collections.abc import Iterator
from typing import BinaryIO

import duckdb

from pmc_assets import markdown
from pmc_assets.shards.article_lines import article_lines
from pmc_assets.shards.card import SYNTHETIC
from pmc_assets.shards.plan import stem
from pmc_assets.shards.render import IMAGE_EXTENSION
from pmc_assets.subsets.forms import IMAGES
from pmc_assets.subsets.select import SELECTED, UNIT_OF, Selection
from pmc_assets.subsets.spec import SubsetSpec
from pmc_assets.subsets.units import ROWS_AT_ONCE
from pmc_assets.warehouse.formats import write_csv

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
ATTRIBUTION_COLUMNS = (
    "pmcid",
    "version",
    "title",
    "authors",
    "journal_title",
    "year",
    "license_code",
    "license_url",
    "copyright_statement",
    "doi",
    "article_url",
)


class MissingAttributions(ValueError):
    """Articles of an export have no row in out.attributions."""


def write_attribution(connection: duckdb.DuckDBPyConnection, articles: int, out: BinaryIO) -> None:
    """List every article of the selection with what its licence asks to be named: title, authors, licence, link.

    A text that a spreadsheet would take for a formula begins with an apostrophe, which it shows as text.
    Raises: MissingAttributions where fewer than `articles` are found.
    """
    columns = ", ".join(f"a.{name}" for name in ATTRIBUTION_COLUMNS)
    reader = connection.sql(f"""
        with articles as (
            select pmcid, version, license_group, batch, count(*) as sample_count from {SELECTED} group by all
        )
        select {columns}, t.sample_count
        from articles as t
        join out.attributions as a using (pmcid, version, license_group, batch)
        order by a.pmcid[4:]::bigint, a.version
    """).to_arrow_reader(ROWS_AT_ONCE)
    listed = write_csv(reader, out, value=no_formula)
    if listed < articles:
        raise MissingAttributions(f"{articles - listed:,} articles have no attribution: run out/attributions")


def no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def write_captions(connection: duckdb.DuckDBPyConnection, out: BinaryIO) -> None:
    """List image files and captions as open_clip reads them: filepath, title, separated by tabs."""
    reader = connection.sql(f"""
        with captions as (select sample_key, caption, license_group, batch from out.samples)
        select
            '{IMAGES}/' || u.stem || '/' || sample_key || '.{IMAGE_EXTENSION}' as filepath,
            regexp_replace(c.caption, '\\s+', ' ', 'g') as title
        from {SELECTED}
        join {UNIT_OF} as u using (sample_key)
        join captions as c using (sample_key, license_group, batch)
        order by filepath
    """).to_arrow_reader(ROWS_AT_ONCE)
    write_csv(reader, out, delimiter="\t")


def write_article_lines(connection: duckdb.DuckDBPyConnection, out: BinaryIO) -> None:
    """List the selection's articles as JSON lines; the images are in the units beside the file."""
    samples = f"""(
        select s.*, u.stem || '.tar' as shard
        from out.samples as s
        join {SELECTED} as k using (sample_key, license_group, batch)
        join {UNIT_OF} as u using (sample_key)
    )"""
    out.writelines(line for line, _ in article_lines(connection, samples))


def card(spec: SubsetSpec, selection: Selection, format: str, units: int, is_sample: bool) -> bytes:
    """Describe the export for a person: what, how much, which licences, how to read it."""
    lines = [
        f"# {spec.name}",
        "",
        *([SYNTHETIC] if is_sample else []),
        f"{spec.meaning}.",
        "",
        f"{selection.samples:,} images with captions from {selection.articles:,} articles of the PubMed Central open "
        "access subset.",
        "",
        "```sql",
        spec.sql,
        "```",
        "",
        *(f"* {name}: {value}" for name, value in _choices(spec).items()),
        "",
        *_counts(selection),
        "## Reading it",
        "",
        "```python",
        _READING[format].format(tars=f"{{00000..{stem(units - 1)}}}.tar" if units > 1 else "00000.tar"),
        "```",
        "",
        "## Licences",
        "",
        "Every image keeps the licence of its article. `ATTRIBUTION.csv` names title, authors, licence and link of "
        "each article: keep it with the images, as CC BY asks. The National Library of Medicine does not endorse this "
        "data set.",
        "",
    ]
    return "\n".join(lines).encode()


def sizes(samples_of: dict[str, int]) -> bytes:
    """Give sizes.json: samples per tar, as open_clip reads it."""
    return json.dumps(samples_of, indent=1, sort_keys=True).encode() + b"\n"


_READING = {
    "wds": 'import webdataset as wds\ndataset = wds.WebDataset("{tars}").decode("pil").to_tuple("jpg", "txt")',
    "jsonl": "import json\narticles = [json.loads(line) for line in open('articles.jsonl')]",
    "parquet": "import datasets\n"
    'dataset = datasets.load_dataset("parquet", data_files="*.parquet", split="train", streaming=True)',
    "csv": "# open_clip: --train-data samples.csv --dataset-type csv\n"
    'import pandas\nsamples = pandas.read_csv("samples.csv", sep="\\t")',
}


def _choices(spec: SubsetSpec) -> dict[str, str]:
    balance = f"at most {spec.balance.most:,} of each {spec.balance.by}, seed {spec.seed}" if spec.balance else "none"
    return {
        "licence groups": ", ".join(spec.license_groups) or "all",
        "balance": balance,
        "limit": f"{spec.limit:,}, seed {spec.seed}" if spec.limit else "none",
    }


def _counts(selection: Selection) -> Iterator[str]:
    for name, counts in selection.by.items():
        rows = ((value, f"{count:,}") for value, count in counts.items())
        yield markdown.table((name, "samples"), rows, (markdown.LEFT, markdown.RIGHT))
        yield ""
