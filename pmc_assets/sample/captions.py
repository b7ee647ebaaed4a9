"""Captions of the sample's figures: what authors write under each visual class, per panel and as a whole."""

from collections.abc import Sequence

import numpy as np

from pmc_assets.sample.words import pick, sentence_case

PHRASES: dict[str, tuple[str, ...]] = {
    "line_plot": (
        "Kaplan–Meier survival curves of patients with {disease} by {gene} status",
        "Time course of {protein} levels after {drug}",
        "Dose–response curves of {drug} in {tissue} cells",
        "Line graph of relative <italic>{gene}</italic> expression over time",
    ),
    "bar_plot": (
        "Bar graph of relative {protein} expression in {tissue}",
        "Bar chart of the frequency of {disease} by group; error bars show SD",
        "Histogram of {gene} mRNA levels in treated and control groups",
    ),
    "scatter_plot": (
        "Scatter plot of {protein} against age, with the linear regression line",
        "Scatter plot of the principal component analysis of {gene} samples",
        "Correlation between {gene} and {protein}; scatter plot with regression line",
    ),
    "fluorescence": (
        "Immunofluorescence of {protein} (green) with DAPI-stained nuclei (blue) in {tissue}",
        "Confocal fluorescence microscopy of {tissue} cells; scale bar, 20 μm",
        "Immunofluorescence staining for {protein}, counterstained with DAPI",
    ),
    "histology": (
        "Hematoxylin and eosin staining of {tissue} (×200)",
        "H&amp;E-stained section of {tissue} in {disease}",
        "Histology of the {tissue}, haematoxylin and eosin, original magnification ×400",
    ),
    "electron_micrograph": (
        "Transmission electron microscopy of {tissue} mitochondria; scale bar, 500 nm",
        "Transmission electron micrograph (TEM) of {tissue} cells after {drug}",
    ),
    "western_blot": (
        "Western blot analysis of {protein} after {drug}",
        "Western blot of {protein}; β-actin served as loading control",
        "Immunoblot of {protein} and GAPDH in {tissue} lysates",
    ),
    "agarose_gel": (
        "Agarose gel electrophoresis of PCR products of <italic>{gene}</italic>; lane M, DNA ladder",
        "RT-PCR of <italic>{gene}</italic>: agarose gel of the amplicons, lane M, marker",
    ),
    "culture_plate": (
        "Colonies of {species} on an agar plate after 24 h",
        "Culture plate: colony formation of {species} on agar in a Petri dish",
    ),
    "brain_mri": (
        "Axial T1-weighted MRI of the brain",
        "Brain magnetic resonance imaging (MRI), axial T2-weighted image, of a patient with {disease}",
    ),
    "chest_radiograph": (
        "Chest radiograph on admission of a patient with {disease}",
        "Posteroanterior chest X-ray showing no infiltrate",
    ),
    "ultrasound": (
        "Ultrasound image of a cystic lesion of the {tissue}",
        "Abdominal ultrasonography of the {tissue} with an anechoic cyst",
    ),
    "flow_diagram": (
        "Flow diagram of the study participants",
        "Flowchart of patient selection for {disease}",
        "CONSORT flow diagram of the trial",
    ),
    "chemical_structure": (
        "Chemical structure of {drug} derivatives",
        "Chemical structures of the compounds; molecular structure of a {drug} analogue",
    ),
    "network": (
        "Protein–protein interaction network of {gene}: nodes are proteins, edges interactions",
        "Co-expression network around {protein}",
    ),
    "map": (
        "Map of the study area in {place}",
        "Geographic distribution of {disease} in {place}; map of sampling sites",
    ),
    "landscape": (
        "Photograph of the study site in {place}",
        "Photograph of the habitat of {species} in {place}",
    ),
    "table": ("Characteristics of the participants by group",),
    "formula": ("Equation of the model",),
}
DETAILS = (
    "Data are mean ± SD of three experiments (<italic>n</italic> = {n}).",
    "*<italic>p</italic> &lt; 0.05 compared with the control.",
    'Representative of {n} samples; see <xref ref-type="bibr" rid="R1">1</xref>.',
    "Ca<sup>2+</sup>-free medium; pK<sub>a</sub> as in the text.",
    "Arrows mark the region described in the text.",
)
WHOLE = (
    "Effect of {drug} on {tissue}",
    "Expression of <italic>{gene}<sup>+/−</sup></italic> in {disease}",
    "Findings in {disease}",
    "Characterisation of {protein} in {tissue}",
)
LETTER_STYLES = ("(<bold>{}</bold>) ", "({}) ", "<bold>{}</bold>, ", "({}) ", "<bold>{}.</bold> ")


def class_phrase(rng: np.random.Generator, visual_class: str, words: dict[str, str]) -> str:
    return sentence_case(pick(rng, PHRASES[visual_class]).format(**words))


def single_caption(rng: np.random.Generator, visual_class: str, words: dict[str, str]) -> tuple[str, list[str]]:
    """Write title and paragraphs (XML text) of a figure with one panel. A title may be empty."""
    phrase, details = class_phrase(rng, visual_class, words) + ".", pick(rng, DETAILS).format(**words)
    match int(rng.integers(4)):
        case 0:
            return phrase, [details]
        case 1:
            return "", [f"{phrase} {details}"]
        case 2:
            return phrase, []
        case _:
            return phrase, [details, pick(rng, DETAILS).format(**words)]


def panel_caption(
    rng: np.random.Generator, classes: Sequence[str], letters: str, words: dict[str, str]
) -> tuple[str, list[str]]:
    """Write title and paragraphs of a figure with lettered panels: `(A) ... (B) ...`, `a, ...; b, ...`."""
    style = pick(rng, LETTER_STYLES)
    parts = [
        style.format(letter) + class_phrase(rng, name, words) for letter, name in zip(letters, classes, strict=True)
    ]
    joined = "; ".join(parts) + "." if style.endswith(", ") else " ".join(f"{part}." for part in parts)
    title = sentence_case(pick(rng, WHOLE).format(**words)) + "."
    if rng.random() < 0.2:
        return "", [joined]
    return title, [joined, pick(rng, DETAILS).format(**words)] if rng.random() < 0.4 else [joined]
