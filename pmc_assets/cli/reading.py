"""The commands that read a lake: sql, search, similar, subset, publish."""

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperCommand

from pmc_assets.cli.errors import ending, told
from pmc_assets.cli.options import LakeUrl, console, counting

if TYPE_CHECKING:
    import pyarrow as pa

Format = Annotated[str, typer.Option(help="table, csv, parquet, json, jsonl or md.")]

COMMENT = re.compile(r"--[^\s=]*\s")
PLAIN_WORDS = re.compile(r"\w[\w-]*(\s+\w[\w-]*)+")
OPERATORS = {"AND", "OR", "NOT", "IN"}


class QueryCommand(TyperCommand):
    """A command whose query may begin with a comment, as the shipped ones do."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take an argument such as `-- How much …` for the query; what looks like an option has to be one."""
        queries = [] if "--" in args else [arg for arg in args if COMMENT.match(arg)]
        return super().parse_args(
            ctx, [*(arg for arg in args if arg not in queries), *(["--"] if queries else []), *queries]
        )


def sql(
    query: Annotated[str | None, typer.Argument(help="One select; without it a prompt opens.")] = None,
    lake: LakeUrl = "lake",
    format: Format = "table",
    out: Annotated[Path | None, typer.Option(help="File to write to; standard output without it.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Stop the query after so many seconds.", min=0)] = None,
    memory_limit: Annotated[str, typer.Option(help="Memory of the query, e.g. 4GB.")] = "4GB",
) -> None:
    """Ask the lake in SQL, read-only: tables are `raw.…`, `core.…`, `out.…` and `models.…`.

    `pmc-assets sql "select license_group, count(*) from out.samples group by 1"`
    """
    with told(console):
        if query is None:
            from pmc_assets.warehouse.prompt import prompt

            is_person = sys.stdin.isatty()
            if is_person:
                import readline  # noqa: F401 - input() edits its line and remembers the last ones
            prompt(lake, timeout_s=timeout, memory_limit=memory_limit, abandon=ending(console), is_person=is_person)
        elif out is None:
            from pmc_assets.warehouse.query import run_query

            run_query(
                lake,
                query,
                sys.stdout.buffer,
                format=format,
                timeout_s=timeout,
                memory_limit=memory_limit,
                abandon=ending(console),
            )
        else:
            _query_into(out, lake, query, format, timeout, memory_limit)


def _query_into(out: Path, lake: str, query: str, format: str, timeout: float | None, memory_limit: str) -> None:
    """Write a query's rows to a file under a temporary name; an error leaves nothing."""
    partial = out.with_name(out.name + ".partial")
    try:
        with Progress(TextColumn("query"), BarColumn(), TimeElapsedColumn(), console=console) as progress:
            from pmc_assets.warehouse.query import run_query

            task = progress.add_task("query", total=100)
            with partial.open("wb") as file:
                run_query(
                    lake,
                    query,
                    file,
                    format=format,
                    timeout_s=timeout,
                    memory_limit=memory_limit,
                    progress=lambda percent: progress.update(task, completed=percent),
                    abandon=ending(console, partial),
                )
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def subset(
    name: Annotated[str, typer.Option(help="Name of the subset; a shipped one needs no --where.")],
    where: Annotated[str, typer.Option(help="Condition on out.samples, e.g. \"license_code = 'CC BY'\".")] = "",
    format: Annotated[str, typer.Option(help="wds, parquet, jsonl or csv.")] = "",
    to: Annotated[str, typer.Option(help="Folder or fsspec URL; subsets/<name>/<format> of the lake without it.")] = "",
    license_group: Annotated[list[str] | None, typer.Option(help="Only these groups. Repeatable.")] = None,
    balance: Annotated[str, typer.Option(help="Cap per value of a column: primary_label:5000.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many samples, drawn by the seed.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same samples.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many samples, articles and bytes.")] = False,
    timeout: Annotated[float | None, typer.Option(help="Stop the selection after so many seconds.", min=0)] = None,
    lake: LakeUrl = "lake",
) -> None:
    """Export the samples that meet a condition, with manifest, attribution and card.

    Without `--license-group` samples of every group are taken, `other` too: their licence may forbid to pass them on.
    """
    from pmc_assets.subsets.export import export_subset

    with told(console), counting(console, disable=dry_run) as progress:
        task = progress.add_task("samples", total=None)
        exported = export_subset(
            lake,
            name=name,
            where=where,
            format=format,
            to=to,
            license_group=tuple(license_group or ()),
            balance=balance,
            limit=limit,
            seed=seed,
            dry_run=dry_run,
            timeout_s=timeout,
            abandon=ending(console),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    verb = "would export" if dry_run else f"exported to {exported.url}:"
    groups = ", ".join(f"{group} {count:,}" for group, count in exported.by["license_group"].items())
    missing = f"; {exported.not_in_shards:,} are in no shard: run out/shards" if exported.not_in_shards else ""
    typer.echo(
        f"{verb} {exported.samples:,} samples of {exported.articles:,} articles, {exported.size_bytes:,} bytes"
        f"{f' ({groups})' if groups else ''}{missing}"
    )


def search(
    words: Annotated[str, typer.Argument(help='What to look for in captions and mentions: "lung ultrasound".')],
    limit: Annotated[int, typer.Option(help="At most so many samples.", min=1)] = 10,
    format: Format = "table",
    lake: LakeUrl = "lake",
) -> None:
    """Search captions and mentions, best first. In SQL: `where sample_key in (search('…'))`.

    All words are wanted; `"a phrase"` of the caption, `a OR b`, `-without`.
    """
    from pmc_assets.warehouse.similar import find_words

    with told(console):
        found = find_words(lake, words, most=limit)
        _print(found, format)
    if found.num_rows == 0 and (hint := either(words)):
        console.print(
            f"no caption or mention has all of these words; try `{hint}`", markup=False, highlight=False, soft_wrap=True
        )


def either(words: str) -> str:
    """Give the search for any of several plain words. Empty: "" where it is one word, or says more than words."""
    is_plain = PLAIN_WORDS.fullmatch(words.strip()) and not OPERATORS & set(words.split())
    return " OR ".join(words.split()) if is_plain else ""


def similar(
    to: Annotated[str, typer.Argument(help="A sample key of the lake, or an image file.")],
    where: Annotated[str, typer.Option(help="Only among the samples that meet this condition on out.samples.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many samples.", min=1)] = 10,
    encoder: Annotated[str, typer.Option(help="Encoder of the embeddings; the lake's first without it.")] = "",
    checkpoint: Annotated[
        str, typer.Option(envvar="PMC_ENCODER_CHECKPOINT", help="Folder or hub id of a DINOv2 encoder.")
    ] = "",
    timeout: Annotated[float | None, typer.Option(help="Stop the condition after so many seconds.", min=0)] = None,
    format: Format = "table",
    lake: LakeUrl = "lake",
) -> None:
    """Find the images that look most like one: a sample, or a file. In SQL: `from neighbours('<sample_key>')`.

    `pmc-assets similar scan.jpg --where "license_group = 'commercial'"`
    """
    from pmc_assets.warehouse.similar import find_similar

    with told(console):
        find = partial(
            find_similar,
            lake,
            where=where,
            most=limit,
            encoder=encoder,
            checkpoint=checkpoint,
            timeout_s=timeout,
            abandon=ending(console),
        )
        file = Path(to)
        _print(find(image=file.read_bytes()) if file.is_file() else find(sample_key=_sample_key(to)), format)


def _sample_key(text: str) -> str:
    from pmc_assets.warehouse.packed_keys import parse_key

    try:
        parse_key(text)
    except ValueError as error:
        raise ValueError(f"{error}, and there is no such file") from None
    return text


def _print(rows: "pa.Table", format: str) -> None:
    from pmc_assets.warehouse.formats import write

    write(format, rows.to_reader(), sys.stdout.buffer)


def publish(
    target: Annotated[str, typer.Argument(help="hf://datasets/<owner>/<name>, or any fsspec URL.")],
    license_group: Annotated[
        list[str] | None, typer.Option(help="Groups to publish; `other` only when named. Repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would move.")] = False,
    lake: LakeUrl = "lake",
) -> None:
    """Make a target the same as the lake's out layer: only what differs moves, what is gone disappears."""
    from pmc_assets.lake import Lake
    from pmc_assets.shards.publish import DEFAULT_GROUPS
    from pmc_assets.shards.publish import publish as publish_dataset

    with told(console), console.status("publishing") as status:
        result = publish_dataset(
            Lake(lake),
            target,
            tuple(license_group or DEFAULT_GROUPS),
            dry_run=dry_run,
            done=lambda path, size_bytes: status.update(f"{path} ({size_bytes:,} bytes)"),
        )
    if dry_run:
        for path in result.uploads:
            console.print(f"+ {path}", soft_wrap=True, markup=False)
        for path in result.deletes:
            console.print(f"- {path}", soft_wrap=True, markup=False)
    verb = "would move" if dry_run else "moved"
    console.print(
        f"{verb} {len(result.uploads):,} files, {result.upload_bytes:,} bytes; "
        f"{len(result.deletes):,} deleted, {result.unchanged:,} unchanged"
    )
