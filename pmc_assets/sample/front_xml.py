"""The front matter of a sample article: ids, title, authors, affiliations, abstracts, keywords, licence, funding."""

from pmc_assets.sample.figure_plan import Figure
from pmc_assets.sample.figure_xml import figure_xml
from pmc_assets.sample.plan import ArticlePlan
from pmc_assets.sample.words import FUNDERS, GIVEN_NAMES, KEYWORDS, SURNAMES, pick, write_paragraph

_LICENSE_PATHS = {
    "CC0": "publicdomain/zero/1.0",
    "CC BY": "licenses/by/4.0",
    "CC BY-SA": "licenses/by-sa/4.0",
    "CC BY-ND": "licenses/by-nd/4.0",
    "CC BY-NC": "licenses/by-nc/4.0",
    "CC BY-NC-SA": "licenses/by-nc-sa/4.0",
    "CC BY-NC-ND": "licenses/by-nc-nd/4.0",
}


def front_xml(plan: ArticlePlan, figures: list[Figure]) -> str:
    title, abbreviation, issn, publisher, _ = plan.journal
    return (
        f'<front><journal-meta><journal-id journal-id-type="nlm-ta">{abbreviation}</journal-id><journal-id '
        f'journal-id-type="iso-abbrev">{abbreviation}.</journal-id><journal-title-group><journal-title>{title}'
        f'</journal-title></journal-title-group><issn pub-type="epub">{issn}</issn><publisher><publisher-name>'
        f"{publisher}</publisher-name></publisher></journal-meta><article-meta>{_ids(plan)}<article-categories>"
        f'<subj-group subj-group-type="heading"><subject>Research Article</subject></subj-group></article-categories>'
        f"<title-group><article-title>{plan.title}</article-title></title-group>{_authors(plan)}{_dates(plan)}"
        f"{_permissions(plan)}{_abstracts(plan, figures)}{_keywords(plan)}{_funding(plan)}</article-meta></front>"
    )


def _ids(plan: ArticlePlan) -> str:
    pmid = f'<article-id pub-id-type="pmid">{plan.pmid}</article-id>' if plan.pmid else ""
    pmcid = plan.pmcid if plan.index % 2 else plan.pmcid[3:]
    return (
        f'{pmid}<article-id pub-id-type="{"pmcid" if plan.index % 2 else "pmc"}">{pmcid}</article-id>'
        f'<article-id pub-id-type="doi">{plan.doi}</article-id>'
    )


def _authors(plan: ArticlePlan) -> str:
    rng = plan.rng(3)
    department, university, city, country = plan.institution
    contribs = []
    for place in range(int(rng.integers(2, 7))):
        orcid = f"https://orcid.org/0000-0002-{rng.integers(1000, 9999)}-{rng.integers(1000, 9999)}"
        identifier = f'<contrib-id contrib-id-type="orcid">{orcid}</contrib-id>' if rng.random() < 0.4 else ""
        corresponding = ' corresp="yes"' if place == 0 else ""
        contribs.append(
            f'<contrib contrib-type="author"{corresponding}>{identifier}<name><surname>{pick(rng, SURNAMES)}</surname>'
            f'<given-names>{pick(rng, GIVEN_NAMES)}</given-names></name><xref ref-type="aff" rid="aff{place % 2 + 1}">'
            f"<sup>{place % 2 + 1}</sup></xref></contrib>"
        )
    return (
        f'<contrib-group>{"".join(contribs)}</contrib-group><aff id="aff1"><label>1</label>{department}, '
        f'<institution>{university}</institution>, {city}, <country>{country}</country></aff><aff id="aff2"><label>2'
        f"</label>School of Medicine, {university}, {city}, {country}</aff>"
    )


def _dates(plan: ArticlePlan) -> str:
    month, day, year = plan.index % 12 + 1, plan.index % 28 + 1, plan.year
    return (
        f'<pub-date pub-type="epub"><day>{day}</day><month>{month}</month><year>{year}</year></pub-date>'
        f'<pub-date pub-type="collection"><year>{year}</year></pub-date><volume>{year - 1999}</volume><issue>{month}'
        f'</issue><elocation-id>e{plan.index + 1}</elocation-id><history><date date-type="received"><day>{day}</day>'
        f'<month>{month}</month><year>{year - 1}</year></date><date date-type="accepted"><month>{month}</month>'
        f"<year>{year}</year></date></history>"
    )


def _permissions(plan: ArticlePlan) -> str:
    path = _LICENSE_PATHS.get(plan.license_code or "")
    statement = f"<copyright-statement>© {plan.year} The Authors.</copyright-statement>"
    statement += f"<copyright-year>{plan.year}</copyright-year>"
    if path is None:
        return f"<permissions>{statement}</permissions>"
    url = f"https://creativecommons.org/{path}/"
    return (
        f'<permissions>{statement}<license license-type="open-access" xlink:href="{url}"><license-p>This article '
        f'is available under the terms of the <ext-link ext-link-type="uri" xlink:href="{url}">Creative Commons'
        f"</ext-link> licence {plan.license_code}.</license-p></license></permissions>"
    )


def _abstracts(plan: ArticlePlan, figures: list[Figure]) -> str:
    rng = plan.rng(4)
    if plan.index % 3 == 0:
        parts = ("Background", "Methods", "Results", "Conclusions")
        sections = "".join(f"<sec><title>{p}</title><p>{write_paragraph(rng, plan.words, 1)}</p></sec>" for p in parts)
        abstract = f"<abstract>{sections}</abstract>"
    else:
        abstract = f"<abstract><p>{write_paragraph(rng, plan.words, 3)}</p></abstract>"
    if figures:
        drawn = "".join(figure_xml(figure, plan.markup) for figure in figures)
        abstract += f'<abstract abstract-type="graphical"><title>Graphical abstract</title>{drawn}</abstract>'
    if "translation" in plan.markup:
        abstract += f'<trans-abstract xml:lang="pt"><p>Resumo: estudo em {plan.institution[3]}.</p></trans-abstract>'
    return abstract


def _keywords(plan: ArticlePlan) -> str:
    rng = plan.rng(5)
    first = int(rng.integers(len(KEYWORDS)))
    words = "".join(f"<kwd>{KEYWORDS[(first + k) % len(KEYWORDS)]}</kwd>" for k in range(4))
    group = f'<kwd-group kwd-group-type="author" xml:lang="en"><title>Keywords</title>{words}</kwd-group>'
    if "translation" in plan.markup:
        group += '<kwd-group xml:lang="pt"><kwd>inflamação</kwd><kwd>prognóstico</kwd></kwd-group>'
    return group


def _funding(plan: ArticlePlan) -> str:
    rng = plan.rng(6)
    if rng.random() < 0.4:
        return ""
    return (
        f"<funding-group><award-group><funding-source>{pick(rng, FUNDERS)}</funding-source><award-id>"
        f"G-{rng.integers(1000, 9999)}</award-id></award-group></funding-group>"
    )
