"""Traits of the sample's articles: which deposit fault and which markup habits an article shows, by its place."""

import numpy as np

TRAIT_CYCLE_ARTICLES = 100

DEPOSIT_TRAITS = (
    "manuscript_beside",  # version 2 is an author manuscript of the published version 1
    "retracted",
    "not_open_access",
    "tdm_manuscript",
    "no_license_code",
    "media_kept_out",
    "truncated_xml",
    "placeholder_image",
    "missing_media",
    "wrong_md5",
    "unresolved_graphic",
    "video_graphic",
    "metadata_missing",
    "metadata_unreadable",
    "xml_missing",
    "truncated_image",
    "image_bomb",
    "record_missing",
    "record_book",
    "historical_ocr",
    "manuscript_first",  # version 1 is the manuscript, version 2 the published article
    "unknown_license_code",
)
MARKUP_TRAITS = (
    "floats_group",
    "fig_group",
    "alternatives",
    "several_graphics",
    "sub_article",
    "boxed_text",
    "appendix",
    "translation",
    "gif_twin",
    "other_case",
    "percent_name",
    "tiff_image",
    "no_extension",
    "formula",
    "table_graphic",
    "supplementary",
    "bare_figures",
    "graphical_abstract",
    "exact_duplicate",
    "near_duplicate",
)
MARKUP_SHARE = 0.05


def deposit_trait(index: int) -> str:
    """Give the deposit trait of the article at a place: each once in a hundred articles; else ""."""
    place = index % TRAIT_CYCLE_ARTICLES
    return DEPOSIT_TRAITS[place // 4] if place % 4 == 3 and place // 4 < len(DEPOSIT_TRAITS) else ""


def markup_traits(rng: np.random.Generator, index: int) -> frozenset[str]:
    """Draw an article's markup traits; every second article has one for sure, in turn."""
    drawn = {
        trait for trait, draw in zip(MARKUP_TRAITS, rng.random(len(MARKUP_TRAITS)), strict=True) if draw < MARKUP_SHARE
    }
    if index % 2 == 0:
        drawn.add(MARKUP_TRAITS[index // 2 % len(MARKUP_TRAITS)])
    return frozenset(drawn)
