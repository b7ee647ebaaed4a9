"""Options that several commands share."""

from typing import Annotated

import typer

LakeUrl = Annotated[str, typer.Option("--lake", envvar="PMC_LAKE", help="Root of the lake: a folder or fsspec URL.")]
