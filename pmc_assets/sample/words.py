"""Vocabulary of the sample's articles: topics, people, journals, funders. Phrases are XML text, already escaped."""

import numpy as np

GENES = ("TP53", "KRAS", "EGFR", "BRCA1", "MYC", "PTEN", "VEGFA", "IL6", "TNF", "SOX9", "FOXP3", "CDH1")
PROTEINS = ("p53", "AKT", "β-actin", "GAPDH", "STAT3", "Bcl-2", "caspase-3", "E-cadherin", "vimentin", "NF-κB")
TISSUES = ("liver", "kidney", "lung", "colon", "skin", "pancreas", "hippocampus", "myocardium", "spleen", "retina")
DISEASES = (
    "hepatocellular carcinoma",
    "chronic kidney disease",
    "type 2 diabetes",
    "ischaemic stroke",
    "rheumatoid arthritis",
    "pulmonary fibrosis",
    "glioblastoma",
    "ulcerative colitis",
    "malaria",
    "heart failure",
)
DRUGS = ("metformin", "cisplatin", "rapamycin", "dexamethasone", "simvastatin", "curcumin", "doxorubicin", "quercetin")
SPECIES = (
    "<italic>Mus musculus</italic>",
    "<italic>Danio rerio</italic>",
    "<italic>Escherichia coli</italic>",
    "<italic>Arabidopsis thaliana</italic>",
    "<italic>Plasmodium falciparum</italic>",
)
PLACES = ("northern Tanzania", "the Mekong delta", "southern Brazil", "Gujarat", "the Baltic coast", "Andalusia")
SURNAMES = (
    "Abara", "Bergström", "Castellanos", "Dlamini", "Eriksen", "Fukuda", "Gonçalves", "Haddad", "Ivanova", "Jørgensen",
    "Kowalczyk", "Lindqvist", "Mbeki", "Nakamura", "O’Rourke", "Pérez-Luna", "Quispe", "Rahman", "Şahin",
    "van der Berg",
)  # fmt: skip
GIVEN_NAMES = ("Ana", "Björn", "Chen", "Divya", "Emeka", "Fatima", "Giulia", "Hiro", "Ines", "J. M.", "Kofi", "Lena")
INSTITUTIONS = (
    ("Department of Pathology", "University of Eastport", "Eastport", "Canada"),
    ("Institute of Molecular Medicine", "Lakeside University", "Lakeside", "Sweden"),
    ("School of Public Health", "Universidade do Vale Novo", "Vale Novo", "Brazil"),
    ("Center for Imaging", "Northfield Medical College", "Northfield", "USA"),
    ("Faculty of Chemistry", "Harbour Technical University", "Harbour", "Japan"),
    ("Division of Nephrology", "Saint Brendan Hospital", "Galway", "Ireland"),
)
FUNDERS = ("National Fund for Science", "Vale Novo Research Foundation", "European Health Programme", "Harbour Trust")
KEYWORDS = (
    "apoptosis",
    "biomarkers",
    "inflammation",
    "oxidative stress",
    "prognosis",
    "imaging",
    "epidemiology",
    "autophagy",
)
JOURNALS = (
    ("Annals of Sample Medicine", "Ann Sample Med", "2999-0010", "Eastport Press", "asm.{number}.g{index:03d}"),
    (
        "Open Journal of Specimens",
        "Open J Specim",
        "2999-0029",
        "Lakeside Publishing",
        "fspec-09-{number}-g{index:03d}",
    ),
    ("Example Biology", "Ex Biol", "2999-0037", "Example Society", "{number}_Fig{index}_HTML"),
    ("Revista de Exemplos Clínicos", "Rev Exemp Clin", "2999-0045", "Vale Novo Editora", "rec-{number}-gf{index:02d}"),
    ("Synthetic Reports", "Synth Rep", "2999-0053", "Harbour Science", "gr{index}"),
    ("Proceedings of Drawn Images", "Proc Drawn Images", "2999-0061", "Saint Brendan Academy", "pdi{number}fig{index}"),
)

TITLES = (
    "Role of {gene} in {disease}: a study of {tissue} tissue",
    "{drug} protects the {tissue} through {protein} and Na<sup>+</sup>/K<sup>+</sup>-ATPase",
    "Imaging and outcome of {disease} in {place}",
    "CD4<sup>+</sup> T cells and {gene} expression in {disease}",
    "Loss of <italic>{gene}</italic> alters {tissue} regeneration in {species}",
    "Synthesis of {drug} derivatives and their effect on {protein}",
)
SENTENCES = (
    "{disease} remains a frequent cause of death in {place}, and the part of {gene} is not settled.",
    "We measured {protein} in {tissue} samples of {n} patients and followed them for {m} months.",
    "Treatment with {drug} lowered the level of {protein} (<italic>p</italic> &lt; 0.0{m}).",
    "Cells were kept at 37 °C in 5% CO<sub>2</sub> and exposed to 10<sup>−6</sup> M {drug}.",
    "The expression of <italic>{gene}</italic> was higher in {tissue} than in controls (<italic>n</italic> = {n}).",
    "These findings agree with earlier work on {species} and extend it to {disease}.",
    "Differences were tested by Student’s <italic>t</italic> test; values are mean ± SD.",
    "All participants gave written consent, and the ethics board of the hospital approved the study.",
)


def topic(rng: np.random.Generator) -> dict[str, str]:
    """Draw what one article is about: the words that its title, text and captions share."""
    lists = {
        "gene": GENES,
        "protein": PROTEINS,
        "tissue": TISSUES,
        "disease": DISEASES,
        "drug": DRUGS,
        "species": SPECIES,
        "place": PLACES,
    }
    words = {name: pick(rng, values) for name, values in lists.items()}
    return words | {"n": str(rng.integers(12, 480)), "m": str(rng.integers(1, 9))}


def pick(rng: np.random.Generator, values: tuple[str, ...]) -> str:
    return values[rng.integers(len(values))]


def sentence_case(text: str) -> str:
    """Put the first letter into upper case, behind a leading tag if there is one."""
    start = text.index(">") + 1 if text.startswith("<") else 0
    return text[:start] + text[start : start + 1].upper() + text[start + 1 :]


def write_paragraph(rng: np.random.Generator, words: dict[str, str], sentences: int) -> str:
    order = rng.permutation(len(SENTENCES))[:sentences]
    return " ".join(sentence_case(SENTENCES[k].format(**words)) for k in order)
