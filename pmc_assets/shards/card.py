"""Write out.dataset_card: README.md with front matter, croissant.json, features.json and plots. Counting stays out."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import yaml

from pmc_assets import markdown
from pmc_assets.lake import Lake
from pmc_assets.licenses import LICENSE_GROUPS, codes_of_group
from pmc_assets.results import StageResult
from pmc_assets.shards.croissant import croissant
from pmc_assets.shards.facts import CardFacts, card_facts
from pmc_assets.shards.features import shard_features
from pmc_assets.shards.member import KEYS
from pmc_assets.shards.plots import draw_plots

TABLE_NAME = "out.dataset_card"
FOLDER = "out/dataset_card"
CONFIGURED_FORMS = ("samples", "parquet", "attributions")
DESCRIPTION = (
    "Figures of PubMed Central's open access articles: images with their captions, the paragraphs that mention them, "
    "and the articles' metadata, by licence group."
)
SYNTHETIC = (
    "**Synthetic:** every article, image, author and id here was drawn by pmc_assets to try it out; nothing of it is "
    "PMC's, and the links lead nowhere.\n"
)
LICENSE_URL = "https://creativecommons.org/licenses/{}/4.0/"
PUBLIC_DOMAIN_URL = "https://creativecommons.org/publicdomain/zero/1.0/"
SPLITS = """The split of a sample is its column `split`, by a hash of the PMCID; the one split `train` of the
configurations is everything. A file holds the samples of one batch, of all splits, so that a change of one
article moves one file of each form and not three. `datasets` gives one split by a filter, also when streaming:

```python
datasets.load_dataset("<owner>/<name>", "samples-<group>", split="train", filters=[("split", "==", "validation")])
```
"""
SIZE_CATEGORIES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)


def render_card(lake: Lake, groups: Sequence[str] = LICENSE_GROUPS) -> dict[str, bytes]:
    """Give the card of the named licence groups: file name to content; equal lakes give equal bytes."""
    facts = card_facts(lake, groups, CONFIGURED_FORMS)
    plots = draw_plots(facts)
    description = croissant(facts, DESCRIPTION, citation(facts), license_urls(groups))
    return {
        "README.md": readme(facts, list(plots)).encode(),
        "features.json": json.dumps(shard_features(), indent=1).encode() + b"\n",
        "croissant.json": json.dumps(description, indent=1, ensure_ascii=False).encode() + b"\n",
        **{f"plots/{name}": content for name, content in plots.items()},
    }


def write_card(lake: Lake) -> tuple[StageResult, dict[str, bytes]]:
    """Publish the card of all licence groups that have samples. Gives the result and the files."""
    groups = [group for group in LICENSE_GROUPS if lake.find(f"out/samples/license_group={group}")]
    files = render_card(lake, groups)
    with lake.scratch() as scratch:
        folder = scratch / "card"
        (folder / "plots").mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        lake.publish_folder(folder, FOLDER, last="README.md")
    digest = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in files.values())).hexdigest()
    result = StageResult(listed=len(files), stored=len(files), rows=len(files), digest=digest)
    result.size_bytes = sum(map(len, files.values()))
    result.paths = [f"{FOLDER}/{name}" for name in files]
    return result, files


def citation(facts: CardFacts) -> str:
    """Give the citation that NLM asks for, with the day of the last fetch."""
    return (
        "NIH NLM NCBI PubMed Central (PMC) Article Datasets was accessed on "
        f"{facts.fetched_at} from https://registry.opendata.aws/ncbi-pmc."
    )


def license_urls(groups: Sequence[str]) -> list[str]:
    """Give the URLs of the licences of the named groups; group `other` has no closed list."""
    codes = [code for group in groups for code in codes_of_group(group)]
    return [
        PUBLIC_DOMAIN_URL if code == "CC0" else LICENSE_URL.format(code.removeprefix("CC ").lower()) for code in codes
    ]


def front_matter(facts: CardFacts) -> dict[str, Any]:
    """Give the card's YAML: one configuration per Parquet form and licence group.

    Each has the one split `train` of the hub's tools; ours is the column `split`. The shards have no configuration,
    since a repository's configurations share one format: `features.json` holds their types.
    """
    configs = [
        {
            "config_name": f"{form}-{group}",
            "data_files": [{"split": "train", "path": f"{form}/license_group={group}/**/*.parquet"}],
        }
        for form, group in facts.forms
    ]
    return {
        "pretty_name": "pmc_assets",
        "license": "other",
        "license_name": "per-sample",
        "license_link": "https://pmc.ncbi.nlm.nih.gov/tools/openftlist/",
        "task_categories": ["image-to-text", "text-to-image", "image-classification"],
        "tags": ["biology", "medical", "pubmed-central", "figures", "webdataset", "croissant"],
        "size_categories": [next(name for most, name in SIZE_CATEGORIES if facts.samples < most)],
        "configs": configs,
    }


def readme(facts: CardFacts, plots: Sequence[str]) -> str:
    """Write the card's text."""
    sections = [
        "---\n" + yaml.safe_dump(front_matter(facts), sort_keys=False, allow_unicode=True) + "---\n",
        "# pmc_assets\n",
        SYNTHETIC if facts.is_sample else "",
        f"{DESCRIPTION} {facts.samples:,} samples of {facts.articles:,} articles, "
        f"{facts.image_bytes:,} bytes of images.\n",
        f"**How current:** source last fetched on {facts.fetched_at}; PMC changes daily, and newer versions of "
        "articles may exist.\n",
        "## Licences\n",
        "Every sample carries its article's licence code as NLM states it (`license_code`), and the terms of that "
        "licence apply to it. Groups: "
        + "; ".join(f"`{group}`: {', '.join(codes_of_group(group)) or 'anything else'}" for group in facts.groups)
        + ". Commercial use is not the same as derivatives: CC BY-ND is in `commercial`. Attribute each article: "
        "`attributions/` has title, authors, journal, licence with its URL, copyright statement and link of each; pass "
        "its rows on with every copy.\n",
        _table(("licence group", "samples", "articles", "image bytes"), facts.by_group),
        _table(("licence code", "samples"), facts.by_license),
        "## Contents\n",
        "`samples/` Parquet, one row per image with a caption, no bytes; `shards/` WebDataset tars "
        "(`.jpg`, `.txt`, `.json`) with an index of offsets beside each, "
        "their types in `features.json`; `parquet/` the same samples with the images' "
        "original bytes; `jsonl/` one line per article with its figures; `attributions/` Parquet, one row per "
        "article: whom to name; `manifest.json` size and sha256 of every file. `is_default` is a recommended filter, "
        "never applied: readable, with caption, both sides over 20 px, not retracted, no exact duplicate in its "
        "batch.\n",
        SPLITS,
        _table(("split", "samples"), facts.by_split),
        _table(("original format", "samples"), facts.by_format),
        _table(("primary label", "samples"), facts.by_label),
        _table(("year", "samples"), facts.by_year),
        _table(("journal (most frequent)", "samples"), facts.by_journal),
        "### Left out, and why\n",
        _table(("stage", "reason", "records"), facts.rejects),
        "### Keys of the JSON member\n",
        _table(("key", "meaning"), [(f"`{name}`", key.meaning) for name, key in KEYS.items()]),
        "## Plots\n",
        "".join(f"![{name}](plots/{name})\n" for name in plots),
        "## Citation and acknowledgement\n",
        f"{citation(facts)}\n\nArticles and metadata courtesy of the U.S. National Library of Medicine. This data set "
        "is not endorsed by NLM.\n",
    ]
    return "\n".join(section for section in sections if section)


def _table(header: Sequence[str], rows: Sequence[tuple]) -> str:
    if not rows:
        return ""
    shown = ((f"{value:,}" if isinstance(value, int) else str(value) for value in row) for row in rows)
    return markdown.table(header, shown) + "\n"
