"""PubMed's records of the sample's articles, as EFetch writes them; the answers themselves are efetch.py's."""

import numpy as np
import pyarrow as pa

from pmc_assets.sample.plan import ArticlePlan
from pmc_assets.sample.words import GIVEN_NAMES, KEYWORDS, SURNAMES, pick, write_paragraph

RECORDS_SCHEMA = pa.schema([("pmid", pa.int64()), ("xml", pa.string())])

MESH = (
    ("Humans", "D006801", ()),
    ("Animals", "D000818", ()),
    ("Apoptosis", "D017209", (("drug effects", "Q000187", "N"), ("genetics", "Q000235", "Y"))),
    ("Inflammation", "D007249", (("metabolism", "Q000378", "N"),)),
    ("Neoplasms", "D009369", (("pathology", "Q000473", "Y"),)),
    ("Magnetic Resonance Imaging", "D008279", (("methods", "Q000379", "Y"),)),
    ("Biomarkers", "D015415", (("blood", "Q000097", "N"),)),
    ("Prognosis", "D011379", ()),
)
CHEMICALS = (
    ("0", "Biomarkers", "D015415"),
    ("9100L32L2N", "Metformin", "D008687"),
    ("Q20Q21Q62J", "Cisplatin", "D002945"),
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def record_xml(plan: ArticlePlan) -> str:
    """Write PubMed's record of an article. Empty: "" for the PMIDs that PubMed does not answer."""
    if plan.deposit == "record_missing":
        return ""
    if plan.deposit == "record_book":
        return _book(plan)
    rng = plan.rng(7)
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM" IndexingMethod="Automated"><PMID Version="1">'
        f"{plan.pmid}</PMID><DateCompleted><Year>{plan.year}</Year><Month>12</Month><Day>01</Day></DateCompleted>"
        f"<DateRevised><Year>{plan.year + 1}</Year><Month>01</Month><Day>15</Day></DateRevised>{_article(plan, rng)}"
        f"<MedlineJournalInfo><Country>Sweden</Country><MedlineTA>{plan.journal[1]}</MedlineTA><NlmUniqueID>"
        f"999{plan.journal[2][-4:]}</NlmUniqueID><ISSNLinking>{plan.journal[2]}</ISSNLinking></MedlineJournalInfo>"
        f"{_chemicals(rng)}<CitationSubset>IM</CitationSubset>{_corrections(plan)}{_mesh(rng)}{_keywords(rng)}"
        f"</MedlineCitation>{_pubmed_data(plan)}</PubmedArticle>"
    )


def _article(plan: ArticlePlan, rng: np.random.Generator) -> str:
    title, abbreviation, issn, _, _ = plan.journal
    types = '<PublicationType UI="D016428">Journal Article</PublicationType>'
    if plan.deposit == "retracted":
        types += '<PublicationType UI="D016441">Retracted Publication</PublicationType>'
    return (
        f'<Article PubModel="Electronic"><Journal><ISSN IssnType="Electronic">{issn}</ISSN><JournalIssue '
        f'CitedMedium="Internet"><Volume>{plan.year - 1999}</Volume><Issue>{plan.index % 12 + 1}</Issue>'
        f"{_pub_date(plan)}</JournalIssue><Title>{title}</Title><ISOAbbreviation>{abbreviation}</ISOAbbreviation>"
        f"</Journal><ArticleTitle>{_inline(plan.title)}.</ArticleTitle><Pagination><MedlinePgn>e{plan.index + 1}"
        f'</MedlinePgn></Pagination><ELocationID EIdType="doi" ValidYN="Y">{plan.doi}</ELocationID>'
        f"{_abstract(plan, rng)}{_authors(plan, rng)}<Language>eng</Language>{_grants(rng)}<PublicationTypeList>{types}"
        f'</PublicationTypeList><ArticleDate DateType="Electronic"><Year>{plan.year}</Year><Month>'
        f"{plan.index % 12 + 1:02d}</Month><Day>{plan.index % 28 + 1:02d}</Day></ArticleDate></Article>"
    )


def _inline(text: str) -> str:
    return text.replace("<italic>", "<i>").replace("</italic>", "</i>")


def _pub_date(plan: ArticlePlan) -> str:
    match plan.index % 7:
        case 0:
            return f"<PubDate><MedlineDate>{plan.year} Nov-Dec</MedlineDate></PubDate>"
        case 1:
            return f"<PubDate><Year>{plan.year}</Year><Season>Spring</Season></PubDate>"
    return f"<PubDate><Year>{plan.year}</Year><Month>{MONTHS[plan.index % 12]}</Month></PubDate>"


def _abstract(plan: ArticlePlan, rng: np.random.Generator) -> str:
    if plan.index % 13 == 4:
        return ""
    if plan.index % 3:
        return f"<Abstract><AbstractText>{_inline(write_paragraph(rng, plan.words, 3))}</AbstractText></Abstract>"
    parts = ("BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS")
    texts = "".join(
        f'<AbstractText Label="{part}" NlmCategory="{part}">{_inline(write_paragraph(rng, plan.words, 1))}'
        "</AbstractText>"
        for part in parts
    )
    return f"<Abstract>{texts}<CopyrightInformation>© {plan.year} The Authors.</CopyrightInformation></Abstract>"


def _authors(plan: ArticlePlan, rng: np.random.Generator) -> str:
    authors = "".join(
        f'<Author ValidYN="Y"><LastName>{pick(rng, SURNAMES)}</LastName><ForeName>{pick(rng, GIVEN_NAMES)}</ForeName>'
        f"<AffiliationInfo><Affiliation>{', '.join(plan.institution)}.</Affiliation></AffiliationInfo></Author>"
        for _ in range(int(rng.integers(1, 6)))
    )
    if rng.random() < 0.1:
        authors += '<Author ValidYN="Y"><CollectiveName>Sample Study Group</CollectiveName></Author>'
    return f'<AuthorList CompleteYN="Y">{authors}</AuthorList>'


def _grants(rng: np.random.Generator) -> str:
    if rng.random() < 0.6:
        return ""
    return (
        f'<GrantList CompleteYN="Y"><Grant><GrantID>G-{rng.integers(1000, 9999)}</GrantID><Agency>Harbour Trust'
        f"</Agency><Country>Japan</Country></Grant></GrantList>"
    )


def _chemicals(rng: np.random.Generator) -> str:
    chosen = [c for c in CHEMICALS if rng.random() < 0.4]
    listed = "".join(
        f'<Chemical><RegistryNumber>{number}</RegistryNumber><NameOfSubstance UI="{ui}">{name}</NameOfSubstance>'
        "</Chemical>"
        for number, name, ui in chosen
    )
    return f"<ChemicalList>{listed}</ChemicalList>" if chosen else ""


def _corrections(plan: ArticlePlan) -> str:
    if plan.deposit != "retracted":
        return ""
    return (
        '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>'
        f'{plan.journal[1]}. {plan.year + 1}</RefSource><PMID Version="1">{79_000_000 + plan.index}</PMID>'
        "</CommentsCorrections></CommentsCorrectionsList>"
    )


def _mesh(rng: np.random.Generator) -> str:
    headings = []
    for name, ui, qualifiers in MESH:
        if rng.random() < 0.45:
            listed = "".join(
                f'<QualifierName UI="{qualifier_ui}" MajorTopicYN="{major}">{qualifier}</QualifierName>'
                for qualifier, qualifier_ui, major in qualifiers
            )
            headings.append(
                f'<MeshHeading><DescriptorName UI="{ui}" MajorTopicYN="N">{name}</DescriptorName>{listed}</MeshHeading>'
            )
    return f"<MeshHeadingList>{''.join(headings)}</MeshHeadingList>" if headings else ""


def _keywords(rng: np.random.Generator) -> str:
    chosen = "".join(f'<Keyword MajorTopicYN="N">{word}</Keyword>' for word in KEYWORDS if rng.random() < 0.3)
    return f'<KeywordList Owner="NOTNLM">{chosen}</KeywordList>' if chosen else ""


def _pubmed_data(plan: ArticlePlan) -> str:
    cited = plan.cited_pmid(1)
    return (
        f'<PubmedData><PublicationStatus>epublish</PublicationStatus><ArticleIdList><ArticleId IdType="pubmed">'
        f'{plan.pmid}</ArticleId><ArticleId IdType="pmc">{plan.pmcid}</ArticleId><ArticleId IdType="doi">{plan.doi}'
        f"</ArticleId></ArticleIdList><ReferenceList><Reference><Citation>Ex Biol. {plan.year - 1};1:11</Citation>"
        f'<ArticleIdList><ArticleId IdType="pubmed">{cited}</ArticleId></ArticleIdList></Reference></ReferenceList>'
        "</PubmedData>"
    )


def _book(plan: ArticlePlan) -> str:
    return (
        f'<PubmedBookArticle><BookDocument><PMID Version="1">{plan.pmid}</PMID><ArticleIdList><ArticleId '
        f'IdType="bookaccession">NBK{plan.index}</ArticleId></ArticleIdList><Book><Publisher><PublisherName>Harbour '
        f"Science</PublisherName></Publisher><BookTitle>Sample Chapters</BookTitle><PubDate><Year>{plan.year}</Year>"
        f"</PubDate></Book><ArticleTitle>{_inline(plan.title)}</ArticleTitle></BookDocument><PubmedBookData>"
        f'<ArticleIdList><ArticleId IdType="pubmed">{plan.pmid}</ArticleId></ArticleIdList></PubmedBookData>'
        "</PubmedBookArticle>"
    )
