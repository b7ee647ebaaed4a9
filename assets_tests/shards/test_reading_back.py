"""Every snippet of the README's section `Reading it back` runs as it is printed."""

import re
from pathlib import Path

import pytest
from shards_lake import SmallLake

from pmc_assets.shards.card import write_card

README = Path(__file__).parents[2] / "README.md"
HEADING = "### Reading it back\n"


def snippets() -> list[str]:
    text = README.read_text() if README.exists() else ""
    section = text.partition(HEADING)[2]
    return re.findall(r"```python\n(.*?)```", re.split(r"\n#{1,3} ", section)[0], re.DOTALL)


@pytest.mark.skipif(not snippets(), reason=f"README.md has no section {HEADING.strip()!r}")
def test_snippets_of_the_readme_run(
    full_lake: SmallLake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(Path(full_lake.lake.root).parent)
    write_card(full_lake.lake)
    for snippet in snippets():
        exec(compile(snippet, "README.md", "exec"), {})
        assert capsys.readouterr().out.strip(), snippet
