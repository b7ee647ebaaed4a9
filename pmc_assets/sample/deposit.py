"""One article version as the bucket holds it: objects, metadata JSON, and what its images truly show."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from pmc_assets.sample.article_xml import article_xml
from pmc_assets.sample.media import media_bytes
from pmc_assets.sample.plan import ArticlePlan
from pmc_assets.sample.records import MONTHS, record_xml
from pmc_assets.sample.truth import truth_row

BUCKET = "pmc-oa-opendata"
WITHOUT_MEDIA = ("media_kept_out", "not_open_access", "historical_ocr")
_TAG = re.compile(r"<[^>]+>")


@dataclass(slots=True)
class Deposit:
    """Objects by key, the metadata's key and bytes as the inventory lists them, truth rows, PubMed's record."""

    prefix: str
    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: bytes = b""
    truth: list[dict[str, Any]] = field(default_factory=list)
    pmid: int | None = None
    record: str = ""

    @property
    def metadata_key(self) -> str:
        return f"metadata/{self.prefix}.json"

    @property
    def etag(self) -> str:
        return hashlib.md5(self.metadata).hexdigest()


def make_deposit(plan: ArticlePlan) -> Deposit:
    """Draw and write everything of one article version. The same plan gives the same bytes."""
    deposit = Deposit(plan.prefix, pmid=plan.pmid)
    xml = article_xml(plan)
    text = _TAG.sub(" ", xml.decode(errors="ignore")).encode()
    urls = {"xml_url": _url(plan, f"{plan.prefix}.xml", xml), "text_url": _url(plan, f"{plan.prefix}.txt", text)}
    if plan.deposit != "xml_missing":
        deposit.objects[f"{plan.prefix}/{plan.prefix}.xml"] = xml
    deposit.objects[f"{plan.prefix}/{plan.prefix}.txt"] = text
    media_urls = _add_media(plan, deposit)
    deposit.metadata = json.dumps(_metadata(plan, urls, media_urls), ensure_ascii=False).encode()
    if plan.deposit == "metadata_unreadable":
        deposit.metadata = deposit.metadata[: len(deposit.metadata) // 2]
    if plan.deposit != "metadata_missing":
        deposit.objects[f"{plan.prefix}/{plan.prefix}.json"] = deposit.metadata
        deposit.objects[deposit.metadata_key] = deposit.metadata
    if plan.pmid is not None and plan.version == 1:
        deposit.record = record_xml(plan)
    return deposit


def _add_media(plan: ArticlePlan, deposit: Deposit) -> list[str]:
    if plan.deposit in WITHOUT_MEDIA or (plan.is_manuscript and plan.deposit.startswith("manuscript")):
        return []
    urls = []
    for figure_index, figure in enumerate(plan.figures):
        for graphic_index, graphic in enumerate(figure.graphics):
            for file, data in media_bytes(graphic.files):
                urls.append(_url(plan, file.name, data[::-1] if file.fault == "wrong_md5" else data))
                if file.fault != "missing":
                    deposit.objects[f"{plan.prefix}/{file.name}"] = data
                if file is graphic.files[0] and file.picture is not None:
                    deposit.truth.append(truth_row(plan, figure, figure_index, graphic_index, file))
    return urls


def _url(plan: ArticlePlan, name: str, data: bytes) -> str:
    return f"s3://{BUCKET}/{plan.prefix}/{name}?md5={hashlib.md5(data).hexdigest()}"


def _metadata(plan: ArticlePlan, urls: dict[str, str], media_urls: list[str]) -> dict[str, Any]:
    month = MONTHS[plan.index % 12]
    cited = f"{plan.journal[1]}. {plan.year} {month};{plan.year - 1999}:e{plan.index + 1}. doi: {plan.doi}"
    metadata = {
        "pmcid": plan.pmcid,
        "version": plan.version,
        "pmid": plan.pmid,
        "doi": plan.doi,
        "mid": plan.mid,
        "title": _TAG.sub("", plan.title),
        "citation": cited,
        "is_pmc_openaccess": plan.deposit not in ("not_open_access", "historical_ocr"),
        "is_manuscript": plan.is_manuscript,
        "is_historical_ocr": plan.deposit == "historical_ocr",
        "is_retracted": plan.deposit == "retracted",
        "license_code": plan.license_code,
        **urls,
    }
    return metadata | {"media_urls": media_urls} if media_urls or plan.index % 2 else metadata
