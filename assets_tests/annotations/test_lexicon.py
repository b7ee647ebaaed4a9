import pytest

from pmc_assets.annotations.lexicon import read_lexicon
from pmc_assets.annotations.taxonomy import read_taxonomy

GLOBALS = [
    "Clinical Imaging", "Microscopy", "Plots and Charts", "Immuno Assays", "Illustrative Diagrams", "Chemical Structures", "Tables",
    "Graph and Network", "Maps", "Tools and Materials", "PCR", "Scientific Formulae and Equations",
    "Hand Drawn and Screen Based Visuals", "Natural Images", "Lab Specimens and Cultures", "Ambiguous",
]  # fmt: skip


@pytest.mark.parametrize(
    ("caption", "locals_"),
    [
        ("Axial T1‑weighted MRI", {"magnetic resonance"}),
        ("H&E staining, ×200", {"histology"}),
        ("Kaplan–Meier curves of overall survival", {"survival curve"}),
        ("Western blots of p53", {"immunoblot"}),
        ("TEM images", {"transmission electron microscopy"}),
        ("the item, a system of tem", set()),
        ("CT value 23; Ct of qPCR", {"computerized tomography", "quantitative pcr"}),
        ("functional magnetic resonance imaging", {"functional magnetic resonance"}),
        ("no Western blot was done", set()),
        ("Western blot (data not shown)", set()),
        ("MRI was not performed", set()),
        ("MRI did not show a lesion", {"magnetic resonance"}),
        ("Chest X-ray showing no infiltrate", {"x-ray radiography"}),
        ("without contrast, CT scan", {"computerized tomography"}),
        ("no fracture on CT scan", {"computerized tomography"}),
        ("neither CT nor MRI", set()),
        ("Bar diagram of H and E stains", {"bar plot", "histology"}),
        ("", set()),
    ],
)
def test_captions_name_local_concepts(caption: str, locals_: set[str]) -> None:
    assert set(read_lexicon().read(caption).locals_) == locals_


def test_every_term_is_found_in_its_own_words() -> None:
    taxonomy, lexicon = read_taxonomy(), read_lexicon()
    for concept in (*taxonomy.globals_.values(), *taxonomy.locals_.values()):
        for term in concept.lexicon:
            assert (concept.parent or concept.name) in lexicon.read(f"Figure: {term}.").globals_, term


def test_taxonomy_has_the_sixteen_globals_and_defined_locals() -> None:
    taxonomy = read_taxonomy()
    assert list(taxonomy.globals_) == GLOBALS
    assert len(taxonomy.locals_) >= 118
    assert {concept.parent for concept in taxonomy.locals_.values()} == set(GLOBALS)
    assert all(c.definition for c in (*taxonomy.globals_.values(), *taxonomy.locals_.values()))


def test_names_are_found_however_they_are_spelt() -> None:
    taxonomy = read_taxonomy()
    assert taxonomy.find_global("plots & charts") == "Plots and Charts"
    assert taxonomy.find_local("X-Ray_Radiography") == "x-ray radiography"
    assert taxonomy.find_global("plots") is None
