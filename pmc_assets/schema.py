"""The contract of every table that we parse: columns, types, meanings, units, keys.

Tables that SQL derives (`out.samples` and others) carry their contract in the header of their file under `sql/`.
"""

from dataclasses import dataclass

import pyarrow as pa

TEXTS = pa.list_(pa.string())
UTC = pa.timestamp("us", tz="UTC")


def column(name: str, type_: pa.DataType, meaning: str, *, unit: str = "", required: bool = False) -> pa.Field:
    """Make one column whose meaning and unit travel as field metadata into Parquet and Dagster."""
    metadata = {"description": meaning} | ({"unit": unit} if unit else {})
    return pa.field(name, type_, nullable=not required, metadata=metadata)


def meaning_of(field: pa.Field) -> str:
    """Give a column's meaning with its unit in square brackets at the end. Empty: no meaning is stated."""
    metadata = field.metadata or {}
    meaning, unit = (metadata.get(name, b"").decode() for name in (b"description", b"unit"))
    return meaning if not unit or meaning.endswith(f"[{unit}]") else f"{meaning} [{unit}]"


@dataclass(frozen=True)
class Table:
    """One table: `name` is `<layer>.<table>`, `row` says what a row is, `partitioned_by` names the hive columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[pa.Field, ...]
    partitioned_by: tuple[str, ...] = ("license_group", "batch")

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @property
    def short_name(self) -> str:
        return self.name.split(".")[1]

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema: column metadata holds description and unit, schema metadata the row's meaning."""
        return pa.schema(list(self.columns), metadata={"description": self.row, "key": ",".join(self.key)})

    def empty(self) -> pa.Table:
        return self.arrow.empty_table()

    def from_rows(self, rows: list[dict]) -> pa.Table:
        """Build a table from row dicts; a missing key of a required column raises pa.ArrowInvalid when written."""
        return pa.Table.from_pylist(rows, schema=self.arrow)


PARTITION_COLUMNS = {
    "license_group": "Terms of use derived from the licence code: commercial, noncommercial or other",
    "batch": "Block of PMCIDs that is downloaded, parsed and rerun as one, named like NLM's ranges: PMC01000xxxx",
    "snapshot_date": "Day of the inventory, ISO 8601",
    "stage": "Stage that left the record out",
    "encoder": "Name of the encoder whose vectors these are",
    "model": "Id of the cluster model: a digest of its arrays and facts",
}

_PMCID = column("pmcid", pa.string(), "PMC's id with its prefix, e.g. PMC10009416", required=True)
_VERSION = column("version", pa.int32(), "Deposit of the article; licence and retraction hang on it", required=True)
_FIGURE_INDEX = column(
    "figure_index", pa.int32(), "Position in the article's document order over all kinds, from 0", required=True
)
_GRAPHIC_INDEX = column(
    "graphic_index",
    pa.int32(),
    "Position of the graphic in its figure, from 0; alternatives of one graphic share it",
    required=True,
)
_ARTICLE_KEY = ("pmcid", "version")
_FIGURE_KEY = (*_ARTICLE_KEY, "figure_index")
_IMAGE_KEY = (*_FIGURE_KEY, "graphic_index")

RAW_INVENTORY = Table(
    "raw.inventory",
    "One row per metadata object of one article version on one day, as the bucket's inventory lists it",
    ("pmcid", "version"),
    (
        _PMCID,
        _VERSION,
        column("etag", pa.string(), "S3 ETag of the metadata object; it changes when any file of the version does"),
        column("last_modified_at", UTC, "When the metadata object was last written", unit="UTC"),
        column("batch", pa.string(), PARTITION_COLUMNS["batch"], required=True),
    ),
    ("snapshot_date",),
)

RAW_ARTICLE_VERSIONS = Table(
    "raw.article_versions",
    "One row per deposit ever seen, with NLM's own metadata; removed and retracted ones stay and say so",
    _ARTICLE_KEY,
    (
        _PMCID,
        _VERSION,
        column("pmid", pa.int64(), "PubMed's id; null where NLM gives none"),
        column("doi", pa.string(), "DOI as NLM gives it"),
        column("mid", pa.string(), "Manuscript id (NIHMS and others)"),
        column("title", pa.string(), "Title as NLM gives it"),
        column("citation", pa.string(), "Citation as NLM gives it"),
        column("is_pmc_openaccess", pa.bool_(), "In the open access subset; being in the bucket is not enough"),
        column("is_manuscript", pa.bool_(), "Author manuscript, not the published article"),
        column("is_historical_ocr", pa.bool_(), "Scanned article with OCR text"),
        column("is_retracted", pa.bool_(), "Retracted according to NLM's metadata"),
        column("license_code", pa.string(), "Licence as NLM states it (CC BY, CC BY-NC, TDM ...); null where none"),
        column("license_group", pa.string(), PARTITION_COLUMNS["license_group"], required=True),
        column("xml_url", pa.string(), "Source of the article's JATS, without the md5; null where none is offered"),
        column("xml_md5", pa.string(), "md5 of the JATS, hex"),
        column("text_url", pa.string(), "Source of the plain text, without the md5"),
        column("text_md5", pa.string(), "md5 of the plain text, hex"),
        column("pdf_url", pa.string(), "Source of the PDF, without the md5"),
        column("pdf_md5", pa.string(), "md5 of the PDF, hex"),
        column("media_urls", TEXTS, "Sources of media files (figures and supplements), without md5"),
        column("media_md5s", TEXTS, "md5 of each media file, hex, in the order of media_urls"),
        column("package_url", pa.string(), "Source of the legacy tarball; null for the bucket"),
        column(
            "package_updated_at",
            UTC,
            "When its file list says the tarball was last updated; null for the bucket",
            unit="UTC",
        ),
        column("etag", pa.string(), "ETag of the metadata object that this row was read from"),
        column("last_modified_at", UTC, "When the metadata object was last written", unit="UTC"),
        column("fetched_at", UTC, "When this row was fetched", unit="UTC"),
        column("removed_at", UTC, "When the version was confirmed to have vanished; null while on offer", unit="UTC"),
    ),
    ("batch",),
)

RAW_FILELISTS = Table(
    "raw.filelists",
    "One row per open access article version on offer in this licence group and batch",
    _ARTICLE_KEY,
    (
        _PMCID,
        _VERSION,
        column("is_preferred", pa.bool_(), "The version to use: published before manuscript, then highest number"),
        *(
            f
            for f in RAW_ARTICLE_VERSIONS.columns
            if f.name
            in {
                "pmid",
                "doi",
                "title",
                "citation",
                "is_manuscript",
                "is_historical_ocr",
                "is_retracted",
                "license_code",
                "xml_url",
                "xml_md5",
                "media_urls",
                "media_md5s",
                "package_url",
                "package_updated_at",
            }
        ),
    ),
)

RAW_PACKAGES = Table(
    "raw.packages",
    "One row per stored file of an article version, with its place in a tar part",
    (*_ARTICLE_KEY, "name"),
    (
        _PMCID,
        _VERSION,
        column("name", pa.string(), "File name as the source gives it", required=True),
        column("role", pa.string(), "What the file is: xml (the article) or media", required=True),
        column("md5", pa.string(), "md5 of the bytes, hex", required=True),
        column("size_bytes", pa.int64(), "Length of the file", unit="bytes", required=True),
        column("part_path", pa.string(), "Tar part inside the lake that holds the bytes", required=True),
        column("offset_bytes", pa.int64(), "Where the file's bytes start in the part", unit="bytes", required=True),
        column("listing_md5", pa.string(), "md5 of what the file list said of the article when its files were chosen"),
    ),
)

_SECTION_PATH = column("section_path", TEXTS, "Titles of the enclosing sections, outermost first")

_AUTHOR = pa.struct(
    [
        column("surname", pa.string(), "Family name, or the whole name of a group"),
        column("given_names", pa.string(), "Given names"),
        column("orcid", pa.string(), "ORCID iD, 16 digits with hyphens, no URL"),
        column("affiliations", TEXTS, "Affiliations as printed, in the order the author points at them"),
    ]
)
_KEYWORD_GROUP = pa.struct(
    [
        column("group_type", pa.string(), "kwd-group/@kwd-group-type; null where none"),
        column("language", pa.string(), "Language of the group"),
        column("keywords", TEXTS, "Keywords in order"),
    ]
)
_ABSTRACT = pa.struct(
    [
        column("abstract_type", pa.string(), "abstract/@abstract-type (graphical, executive-summary ...)"),
        column("language", pa.string(), "Language as the article gives it"),
        column("text", pa.string(), "Text, section titles as `TITLE: `, blocks separated by a line feed"),
    ]
)
_RELATED = pa.struct(
    [
        column(
            "relation", pa.string(), "related-article/@related-article-type (retracted-article, corrected-article ...)"
        ),
        column("id_type", pa.string(), "ext-link-type (doi, pmid, pmc ...)"),
        column("id", pa.string(), "The id as written"),
    ]
)
_FUNDING = pa.struct(
    [column("source", pa.string(), "Funder as printed"), column("award_id", pa.string(), "Award id; null where none")]
)
_PARAGRAPH = pa.struct([_SECTION_PATH, column("text", pa.string(), "Paragraph in reading order")])

CORE_ARTICLES = Table(
    "core.articles",
    "One row per article version, as its JATS states it, beside NLM's licence and retraction status",
    _ARTICLE_KEY,
    (
        _PMCID,
        _VERSION,
        column("pmid", pa.int64(), "PubMed's id as NLM's metadata gives it"),
        column("doi", pa.string(), "DOI as NLM's metadata gives it, else the article's"),
        column("xml_pmid", pa.int64(), "PubMed's id as the article itself states it; may differ from pmid"),
        column("xml_pmcid", pa.string(), "PMC's id as the article itself states it, with prefix"),
        column("xml_doi", pa.string(), "DOI as the article itself states it"),
        column(
            "article_ids",
            pa.map_(pa.string(), pa.string()),
            "Every article-id of the front: pub-id-type to value as written, several of one type parted by a space",
        ),
        column("title", pa.string(), "Article title in reading order, markup dropped"),
        column("subtitle", pa.string(), "Subtitle; null where none"),
        column("translated_titles", TEXTS, "Titles in other languages"),
        column("abstract", pa.string(), "Main abstract, section titles as `TITLE: `, blocks separated by a line feed"),
        column(
            "other_abstracts", pa.list_(_ABSTRACT), "Abstracts of a stated type (graphical ...) or beside the main one"
        ),
        column("translated_abstracts", pa.list_(_ABSTRACT), "Abstracts in other languages (trans-abstract, abstract)"),
        column("journal_title", pa.string(), "Journal title as printed"),
        column("nlm_ta", pa.string(), "NLM's title abbreviation"),
        column("issns", TEXTS, "ISSNs of the journal"),
        column("publisher", pa.string(), "Publisher's name"),
        column("ppub_date", pa.string(), "Date of print publication, ISO 8601, as precise as stated"),
        column("epub_date", pa.string(), "Date of electronic publication, ISO 8601, as precise as stated"),
        column("collection_date", pa.string(), "Date of the collection, ISO 8601, as precise as stated"),
        column("received_date", pa.string(), "Date received, ISO 8601, as precise as stated"),
        column("accepted_date", pa.string(), "Date accepted, ISO 8601, as precise as stated"),
        column(
            "year",
            pa.int32(),
            "Earliest year of publication stated (ppub, epub or collection, else the original publication)",
        ),
        column("volume", pa.string(), "Volume as printed"),
        column("issue", pa.string(), "Issue as printed"),
        column("first_page", pa.string(), "First page or electronic location id"),
        column("last_page", pa.string(), "Last page; null where none"),
        column("article_type", pa.string(), "article/@article-type"),
        column("subjects", TEXTS, "Subjects of the article-categories in order"),
        column("keyword_groups", pa.list_(_KEYWORD_GROUP), "All keyword groups with their type and language"),
        column("keywords", TEXTS, "Keywords of all groups in order"),
        column("authors", pa.list_(_AUTHOR), "Authors in order"),
        column("funding", pa.list_(_FUNDING), "Funders and awards"),
        column("funding_statement", pa.string(), "Funding as the article words it; null where it states none"),
        column("license_code", pa.string(), "Licence as NLM states it; decides the licence group"),
        column("license_url", pa.string(), "License URL that the article states (license_ref or xlink:href)"),
        column("license_text", pa.string(), "License paragraph(s) of the article"),
        column("xml_license_code", pa.string(), "Licence code that the article's own licence means; null if unclear"),
        column("copyright_statement", pa.string(), "Copyright statement of the article"),
        column("language", pa.string(), "article/@xml:lang"),
        column("related_articles", pa.list_(_RELATED), "Articles that this one corrects, retracts, comments on"),
        column("is_retracted", pa.bool_(), "Retracted according to NLM's metadata", required=True),
        column("is_manuscript", pa.bool_(), "Author manuscript"),
        column("body_paragraphs", pa.list_(_PARAGRAPH), "Body paragraphs, without captions and tables"),
        column("reference_count", pa.int32(), "Number of references in the list"),
        column("reference_pmids", pa.list_(pa.int64()), "PMIDs that the reference list states, in order"),
        column("reference_dois", TEXTS, "DOIs that the reference list states, in order"),
        column("citation", pa.string(), "Citation as NLM gives it"),
        column("is_recovered", pa.bool_(), "The XML was not well-formed and was read in recovery mode", required=True),
    ),
)

GRAPHIC = pa.struct(
    [
        _GRAPHIC_INDEX,
        column("alternative_index", pa.int32(), "Position among the alternatives of this graphic, from 0"),
        column("graphic_ref", pa.string(), "xlink:href as written"),
        column(
            "element",
            pa.string(),
            "Its name: graphic, media or supplementary-material, or one of these after inline-",
        ),
        column("mime_type", pa.string(), "mimetype/mime-subtype where stated"),
    ]
)
_TRANSLATED = pa.struct(
    [column("language", pa.string(), "Language"), column("text", pa.string(), "Caption in that language")]
)

FIGURE_KINDS = ("figure", "scheme", "table", "formula", "chemical_structure", "supplementary", "graphic")

CORE_FIGURES = Table(
    "core.figures",
    "One row per figure, and per other element that shows a graphic (see kind), in document order",
    _FIGURE_KEY,
    (
        _PMCID,
        _VERSION,
        _FIGURE_INDEX,
        column(
            "kind",
            pa.string(),
            "figure (fig), scheme, table, formula, chemical_structure, supplementary, or graphic outside any of them",
            required=True,
        ),
        column("figure_id", pa.string(), "fig/@id; null where the article gives none"),
        column("figure_label", pa.string(), "Label as printed (Figure 1); null where none"),
        column("caption", pa.string(), "Title and all paragraphs, markup dropped; empty where none", required=True),
        column("caption_title", pa.string(), "Title of the caption; null where none"),
        column("language", pa.string(), "Language of the caption where it is stated on the figure or above"),
        column("translated_captions", pa.list_(_TRANSLATED), "The same caption in other languages"),
        column("group_id", pa.string(), "fig-group/@id of the enclosing group"),
        column("group_label", pa.string(), "Label of the enclosing fig-group"),
        column("group_caption", pa.string(), "Caption of the enclosing fig-group"),
        _SECTION_PATH,
        column("location", pa.string(), "Where it stands: front, body, back, floats, sub-article or response"),
        column("attribution", pa.string(), "attrib of the figure: whom third-party content is from"),
        column("permissions", pa.string(), "Permission or copyright statement of the figure itself"),
        column("alt_text", pa.string(), "alt-text"),
        column("long_desc", pa.string(), "long-desc"),
        column("graphics", pa.list_(GRAPHIC), "All references to picture files, in order, alternatives included"),
    ),
)

CORE_IMAGES = Table(
    "core.images",
    "One row per graphic of a figure whose file is stored and readable: its bytes' place, size and hashes",
    _IMAGE_KEY,
    (
        _PMCID,
        _VERSION,
        _FIGURE_INDEX,
        _GRAPHIC_INDEX,
        column("graphic_ref", pa.string(), "xlink:href as written, of the alternative that was chosen", required=True),
        column("image_name", pa.string(), "File of the package that it resolves to", required=True),
        column("format", pa.string(), "Format by content: jpeg, png, gif, tiff, webp, bmp", required=True),
        column("width_px", pa.int32(), "Width", unit="px", required=True),
        column("height_px", pa.int32(), "Height", unit="px", required=True),
        column("mode", pa.string(), "Pixel mode as Pillow names it: L, RGB, CMYK, P, I;16 ...", required=True),
        column("frame_count", pa.int32(), "Frames or pages of the file; the first is the image", required=True),
        column("size_bytes", pa.int64(), "Length of the file", unit="bytes", required=True),
        column("image_sha256", pa.string(), "sha256 of the file's bytes, hex", required=True),
        column("image_phash", pa.uint64(), "64-bit perceptual hash (DCT of a 32 x 32 grey image)", required=True),
        column("grey_mean", pa.float32(), "Mean grey value, 0 black to 255 white", unit="0-255"),
        column("grey_std", pa.float32(), "Standard deviation of the grey value", unit="0-255"),
        column("colorfulness", pa.float32(), "Hasler-Suesstrunk colourfulness; 0 for grey images"),
        column(
            "is_duplicate_of",
            pa.string(),
            "Earlier image of the partition with the same bytes, as pmcid.version/figure_index/graphic_index",
        ),
        column("part_path", pa.string(), "Tar part inside the lake that holds the bytes", required=True),
        column("offset_bytes", pa.int64(), "Where the image's bytes start in the part", unit="bytes", required=True),
    ),
)

CORE_MENTIONS = Table(
    "core.mentions",
    "One row per paragraph and figure that the paragraph points at",
    (*_FIGURE_KEY, "mention_index"),
    (
        _PMCID,
        _VERSION,
        _FIGURE_INDEX,
        column("mention_index", pa.int32(), "Position among the mentions of this figure, from 0", required=True),
        _SECTION_PATH,
        column("text", pa.string(), "The paragraph in reading order", required=True),
        column("span_start", pa.int32(), "First character of the (first) pointer in text", unit="characters"),
        column("span_end", pa.int32(), "One past the last character of that pointer", unit="characters"),
        column("is_range_expanded", pa.bool_(), "Inside a range such as Figs 2-4, not pointed at itself"),
    ),
)

CORE_SUBCAPTIONS = Table(
    "core.subcaptions",
    "One row per part of a caption that the caption itself separates by letters",
    (*_FIGURE_KEY, "panel_id", "span_start"),
    (
        _PMCID,
        _VERSION,
        _FIGURE_INDEX,
        column("panel_id", pa.string(), "Letter(s) of the part as printed, without brackets: A, or A-C", required=True),
        column("panel_ids", TEXTS, "Letters expanded: A-C is A, B, C"),
        column("span_start", pa.int32(), "First character of the part in caption", unit="characters", required=True),
        column("span_end", pa.int32(), "One past the last character", unit="characters", required=True),
        column("text", pa.string(), "The part's text", required=True),
    ),
)

_MESH = pa.struct(
    [
        column("descriptor", pa.string(), "MeSH descriptor"),
        column("descriptor_ui", pa.string(), "MeSH unique id"),
        column("is_major", pa.bool_(), "Major topic: the descriptor or any of its qualifiers"),
        column("qualifiers", TEXTS, "Qualifiers in order"),
        column("major_qualifiers", TEXTS, "Those that are major topics"),
    ]
)

_ABSTRACT_SECTION = pa.struct(
    [
        column("label", pa.string(), "Label as printed (METHODS); null where none"),
        column("nlm_category", pa.string(), "NLM's category of the section (BACKGROUND, METHODS ...)"),
        column("text", pa.string(), "Text of the section"),
    ]
)

CORE_PUBMED_RECORDS = Table(
    "core.pubmed_records",
    "One row per PMID of the partition, as PubMed describes it",
    ("pmid",),
    (
        column("pmid", pa.int64(), "PubMed's id", required=True),
        column("title", pa.string(), "Article title"),
        column("vernacular_title", pa.string(), "Title in the article's language"),
        column("abstract", pa.string(), "Abstract, section labels as `LABEL: `, sections separated by a line feed"),
        column("abstract_sections", pa.list_(_ABSTRACT_SECTION), "The same abstract by sections, in order"),
        column("other_abstracts", pa.list_(_ABSTRACT), "Abstracts by others, in plain language, in other languages"),
        column("mesh_headings", pa.list_(_MESH), "MeSH headings with qualifiers"),
        column("mesh_terms", TEXTS, "MeSH descriptors in order"),
        column("chemicals", TEXTS, "Names of substances"),
        column("publication_types", TEXTS, "Publication types"),
        column("keywords", TEXTS, "Keywords"),
        column("journal_title", pa.string(), "Journal title"),
        column("nlm_ta", pa.string(), "NLM's title abbreviation"),
        column("nlm_unique_id", pa.string(), "NLM's id of the journal"),
        column("issns", TEXTS, "ISSNs: journal's and linking"),
        column("pub_date", pa.string(), "Date of the issue, ISO 8601 as precise as stated"),
        column("pub_date_text", pa.string(), "Date of the issue where it is free text (MedlineDate) or a season"),
        column("year", pa.int32(), "Year of pub_date, or the first year named by pub_date_text"),
        column("article_date", pa.string(), "Date of electronic publication, ISO 8601"),
        column("completed_date", pa.string(), "When the record was completed, ISO 8601"),
        column("revised_date", pa.string(), "When the record was last revised, ISO 8601"),
        column("volume", pa.string(), "Volume"),
        column("issue", pa.string(), "Issue"),
        column("pages", pa.string(), "Pages as PubMed prints them"),
        column("languages", TEXTS, "ISO 639-2 codes"),
        column("authors", pa.list_(_AUTHOR), "Authors in order"),
        column("grants", pa.list_(_FUNDING), "Grants: agency and id"),
        column("doi", pa.string(), "DOI that PubMed gives"),
        column("pmcid", pa.string(), "PMCID that PubMed gives, with prefix"),
        column("reference_ids", TEXTS, "Every id of every reference as `pubmed:123`, `doi:10...`, in order"),
        column("reference_count", pa.int32(), "Number of references listed, else stated; null where neither"),
        column(
            "comments_corrections",
            pa.list_(_RELATED),
            "RefType, and the PMID (id_type pmid), else the citation (id_type citation)",
        ),
        column("is_retracted", pa.bool_(), "Publication type Retracted Publication, or RetractionIn", required=True),
        column("fetched_at", UTC, "When the record was fetched", unit="UTC", required=True),
    ),
)

_PANEL_SUBTYPE = "Finer panel type: one, row, column, grid (equal rows), mixed"

CORE_EMBEDDINGS = Table(
    "core.embeddings",
    "One row per readable image and encoder: what the encoder sees, and the panels of the same decode",
    _IMAGE_KEY,
    (
        _PMCID,
        _VERSION,
        _FIGURE_INDEX,
        _GRAPHIC_INDEX,
        column("image_sha256", pa.string(), "sha256 of the image that was encoded", required=True),
        column("encoder_version", pa.string(), "Version of the weights and of the preprocessing", required=True),
        column(
            "gutter_panel_count", pa.int32(), "Panels that blank gutters of the image separate, from 1", required=True
        ),
        column("gutter_panel_subtype", pa.string(), _PANEL_SUBTYPE, required=True),
        column(
            "vector", pa.list_(pa.float16()), "L2-normalised embedding (a fixed-size list in the file)", required=True
        ),
    ),
    ("encoder", "license_group", "batch"),
)

_CLUSTER_ID = column("cluster_id", pa.int32(), "Cluster of the model, from 0", required=True)
_PRIMARY_LABEL = column("primary_label", TEXTS, "Global concepts of the taxonomy")
_SECONDARY_LABEL = column(
    "secondary_label", TEXTS, "Local concepts of the taxonomy; each has its parent in primary_label"
)

CORE_ANNOTATIONS = Table(
    "core.annotations",
    "One row per image: what a model or an expert says it shows",
    _IMAGE_KEY,
    (
        _PMCID,
        _VERSION,
        _FIGURE_INDEX,
        _GRAPHIC_INDEX,
        column("model_id", pa.string(), "Cluster model that gave the cluster", required=True),
        column("cluster_id", pa.int32(), "Nearest cluster", required=True),
        column("distance", pa.float32(), "Distance to the cluster's centre in PCA space"),
        column("margin", pa.float32(), "Distance to the second nearest centre minus distance"),
        _PRIMARY_LABEL,
        _SECONDARY_LABEL,
        column("label_source", pa.string(), "expert, proposed or caption; null where there is no label"),
        column("label_confidence", pa.float32(), "How sure the label is, 0 to 1: agreement or share of votes"),
        column(
            "caption_label", TEXTS, "Global concepts that the image's own caption names most, however it is labelled"
        ),
        column("is_label_disputed", pa.bool_(), "The caption names concepts, none of them in primary_label"),
        column("panel_type", pa.string(), "single or multiple, from the image itself and its caption"),
        column("panel_subtype", pa.string(), _PANEL_SUBTYPE + "; mixed where only the caption says multiple"),
        column("panel_count", pa.int32(), "Panels: those of the gutters or, if more, those that the caption letters"),
        column("panel_source", pa.string(), "What says so: image, caption, or both"),
        column("cluster_panel_type", pa.string(), "Panel type that the experts gave the cluster; null where none"),
        column("is_panel_disputed", pa.bool_(), "The cluster's panel type contradicts the image's"),
    ),
)

MODELS_CLUSTER_MEMBERS = Table(
    "models.cluster_members",
    "One row per image of the sample that a cluster model was fitted on",
    ("cluster_id", "nearness"),
    (
        _CLUSTER_ID,
        column("nearness", pa.int32(), "Place in the cluster by distance to its centre, from 0", required=True),
        _PMCID,
        _VERSION,
        _FIGURE_INDEX,
        _GRAPHIC_INDEX,
        column("license_group", pa.string(), PARTITION_COLUMNS["license_group"], required=True),
        column("batch", pa.string(), PARTITION_COLUMNS["batch"], required=True),
        column("image_sha256", pa.string(), "sha256 of the image", required=True),
        column("gutter_panel_count", pa.int32(), "Panels that blank gutters of the image separate, from 1"),
        column("distance", pa.float32(), "Distance to the centre in PCA space"),
    ),
    ("model",),
)

MODELS_CLUSTER_PROPOSALS = Table(
    "models.cluster_proposals",
    "One row per cluster: the label that the captions of its members propose, without any expert",
    ("cluster_id",),
    (
        _CLUSTER_ID,
        column("member_count", pa.int32(), "Images of the sample in the cluster", required=True),
        column("named_count", pa.int32(), "Members whose caption names a concept", required=True),
        column("multiple_share", pa.float32(), "Share of members with several panels", unit="0-1"),
        _PRIMARY_LABEL,
        _SECONDARY_LABEL,
        column("confidence", pa.float32(), "Share of the votes for primary_label, 0 to 1; 0 where there is none"),
        column("label_source", pa.string(), "captions, figure_kinds or neighbours; null where there is no proposal"),
        column("second_label", pa.string(), "Global concept with the second most votes"),
        column("second_share", pa.float32(), "Its share of the votes"),
        column("neighbour_label", pa.string(), "Global concept that the nearest clusters vote for"),
    ),
    ("model",),
)

MODELS_CLUSTER_LABELS = Table(
    "models.cluster_labels",
    "One row per cluster that an expert named: the majority of the experts",
    ("cluster_id",),
    (
        _CLUSTER_ID,
        column("panel_type", pa.string(), "single or multiple; null where the experts do not agree"),
        column("panel_subtype", pa.string(), "Finer panel type, one that its panel type allows; null where none"),
        _PRIMARY_LABEL,
        _SECONDARY_LABEL,
        column("annotators", TEXTS, "Who named the cluster", required=True),
        column(
            "agreement",
            pa.float32(),
            "Share of pairs of annotators with the same primary labels; 1 for one",
            unit="0-1",
        ),
        column("is_resolved", pa.bool_(), "A majority named at least one global concept", required=True),
        column("notes", TEXTS, "The annotators' notes"),
    ),
    ("model",),
)

CORE_REJECTS = Table(
    "core.rejects",
    "One row per record that a stage left out, and why",
    ("stage", "pmcid", "version", "name"),
    (
        column("stage", pa.string(), PARTITION_COLUMNS["stage"], required=True),
        column("pmcid", pa.string(), "PMC's id; null where the record has none that can be read"),
        column("version", pa.int32(), "Deposit; null where the record has none"),
        column("name", pa.string(), "What of the article: a file, a graphic, a PMID; null for the article itself"),
        column("reason", pa.string(), "Reason, from the closed list in rejects.py", required=True),
        column("detail", pa.string(), "What was seen, for a person"),
        column("asked_at", UTC, "When a service was asked for the record; null where none is asked", unit="UTC"),
    ),
)

TABLES = {
    table.name: table
    for table in (
        RAW_INVENTORY,
        RAW_ARTICLE_VERSIONS,
        RAW_FILELISTS,
        RAW_PACKAGES,
        CORE_ARTICLES,
        CORE_FIGURES,
        CORE_IMAGES,
        CORE_MENTIONS,
        CORE_SUBCAPTIONS,
        CORE_PUBMED_RECORDS,
        CORE_EMBEDDINGS,
        CORE_ANNOTATIONS,
        MODELS_CLUSTER_MEMBERS,
        MODELS_CLUSTER_PROPOSALS,
        MODELS_CLUSTER_LABELS,
        CORE_REJECTS,
    )
}
