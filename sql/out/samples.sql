-- One row per image whose figure has a caption: everything known about it, flattened, without the bytes.
-- Nothing is filtered here; is_default is the documented default filter, its ingredients are columns of their own.
-- depends: core.images, core.figures, core.articles, core.mentions, core.subcaptions, core.pubmed_records, core.annotations, raw.filelists
-- key: sample_key
-- required: pmcid, version, figure_index, graphic_index
-- column: sample_key | Key of the sample, unique for ever: PMCID, version, figure_index, graphic_index; no dot, no slash
-- column: pmcid | PMC's id with its prefix
-- column: version | Deposit of the article; licence and retraction hang on it
-- column: figure_index | Position of the figure in the article's document order over all kinds, from 0
-- column: graphic_index | Position of the graphic in its figure, from 0
-- column: pmid | PubMed's id; null where there is none
-- column: doi | DOI; null where there is none
-- column: kind | figure, scheme, table, formula, chemical_structure, supplementary, or graphic outside any of them
-- column: figure_id | fig/@id; null where the article gives none
-- column: figure_label | Label as printed (Figure 1); null where none
-- column: caption | Title and all paragraphs of the caption, markup dropped; never empty
-- column: caption_title | Title of the caption; null where none
-- column: caption_language | Language stated on the figure, else the article's; null where neither says
-- column: group_label | Label of the enclosing fig-group; null where none
-- column: group_caption | Caption of the enclosing fig-group; null where none
-- column: section_path | Titles of the sections around the figure, outermost first
-- column: attribution | Whom third-party content is from; null where not stated
-- column: permissions | Permission or copyright statement of the figure itself; null where none
-- column: alt_text | Alternative text; null where none
-- column: mentions | Paragraphs that point at the figure, in order: section (titles joined by ' > ', empty where none) and text
-- column: subcaptions | Parts of the caption that it separates by letters, in order: panel_id and text
-- column: graphic_ref | xlink:href as written
-- column: image_name | File name of the image as the source gives it
-- column: image_format | Format by content: jpeg, png, gif, tiff, webp, bmp
-- column: width_px | Width [px]
-- column: height_px | Height [px]
-- column: image_mode | Pixel mode as Pillow names it
-- column: frame_count | Frames or pages of the file; the first is the image
-- column: image_sha256 | sha256 of the file's bytes, hex
-- column: image_phash | 64-bit perceptual hash
-- column: colorfulness | Hasler-Suesstrunk colourfulness; 0 for grey images
-- column: title | Article title
-- column: abstract | Main abstract; PubMed's where the article has none
-- column: journal_title | Journal title as printed
-- column: nlm_ta | NLM's abbreviation of the journal title
-- column: published_date | Electronic, else print, else collection date, ISO 8601 as precise as stated; PubMed's where none
-- column: year | Earliest year of publication
-- column: article_type | article/@article-type
-- column: language | Language of the article
-- column: subjects | Subjects of the article in order
-- column: keywords | Keywords of the article, PubMed's where it has none
-- column: mesh_terms | MeSH descriptors from PubMed; empty without a record
-- column: publication_types | Publication types from PubMed; empty without a record
-- column: reference_count | Number of references; null where the article has no list
-- column: reference_ids | References as pubmed:123 or doi:10..., PMIDs first, from the article; PubMed's where it states none
-- column: citation | Citation as NLM gives it
-- column: license_code | Licence as NLM states it; null where none
-- column: license_url | Licence URL that the article states
-- column: cluster_id | Nearest cluster of the cluster model; null where not annotated
-- column: cluster_model | Cluster model that gave the cluster; null where not annotated
-- column: primary_label | Global concepts of the taxonomy; empty where not annotated
-- column: secondary_label | Local concepts of the taxonomy; empty where not annotated
-- column: label_source | expert, proposed or caption; null where there is no label
-- column: label_confidence | How sure the label is, 0 to 1
-- column: panel_type | single or multiple, from the image itself and its caption; null where not annotated
-- column: panel_subtype | one, grid, row, column or mixed; null where not annotated
-- column: panel_count | Panels: those of the gutters or, if more, those that the caption letters; null where not annotated
-- column: is_manuscript | Author manuscript, not the published article
-- column: is_retracted | Retracted according to NLM's metadata or PubMed
-- column: is_too_small | Width or height is 20 px or less
-- column: is_duplicate_of | Earlier image of the partition with the same bytes; null where there is none
-- column: is_default | The default filter: readable, with caption, not too small, not retracted, no duplicate
-- column: split | train (90 %), validation (5 %) or test (5 %) by a hash of the PMCID: an article is in one split
-- column: source_url | Where the source offers the image (its package in the legacy layout); null where not known
-- column: part_path | Tar part inside the lake that holds the image's bytes
-- column: offset_bytes | Where the image's bytes start in the part [bytes]
-- column: size_bytes | Length of the image file [bytes]
-- check: length(trim(caption)) > 0
-- check: not contains(sample_key, '.') and not contains(sample_key, '/')
-- check: split in ('train', 'validation', 'test')
with figure_mentions as (
    select
        pmcid, version, figure_index,
        list({'section': array_to_string(coalesce(section_path, []), ' > '), 'text': text} order by mention_index) as mentions
    from core.mentions
    group by all
),
figure_subcaptions as (
    select
        pmcid, version, figure_index,
        list({'panel_id': panel_id, 'text': text} order by span_start, panel_id) as subcaptions
    from core.subcaptions
    group by all
),
captioned_images as (
    select
        i.*,
        f.* exclude (pmcid, version, figure_index, graphics),
        least(i.width_px, i.height_px) <= 20 as is_too_small
    from core.images as i
    join core.figures as f using (pmcid, version, figure_index)
    where length(trim(f.caption)) > 0
)
select
    format('{}_{}_f{:04d}_g{:02d}', i.pmcid, i.version, i.figure_index, i.graphic_index) as sample_key,
    i.pmcid,
    i.version,
    i.figure_index,
    i.graphic_index,
    a.pmid,
    coalesce(a.doi, p.doi) as doi,
    i.kind,
    i.figure_id,
    i.figure_label,
    i.caption,
    i.caption_title,
    coalesce(i.language, a.language) as caption_language,
    i.group_label,
    i.group_caption,
    coalesce(i.section_path, []) as section_path,
    i.attribution,
    i.permissions,
    i.alt_text,
    coalesce(m.mentions, []) as mentions,
    coalesce(s.subcaptions, []) as subcaptions,
    i.graphic_ref,
    i.image_name,
    i.format as image_format,
    i.width_px,
    i.height_px,
    i.mode as image_mode,
    i.frame_count,
    i.image_sha256,
    i.image_phash,
    i.colorfulness,
    coalesce(a.title, p.title) as title,
    coalesce(a.abstract, p.abstract) as abstract,
    coalesce(a.journal_title, p.journal_title) as journal_title,
    coalesce(a.nlm_ta, p.nlm_ta) as nlm_ta,
    coalesce(a.epub_date, a.ppub_date, a.collection_date, p.article_date, p.pub_date) as published_date,
    coalesce(a.year, p.year) as year,
    a.article_type,
    a.language,
    coalesce(a.subjects, []) as subjects,
    if(len(a.keywords) > 0, a.keywords, coalesce(p.keywords, [])) as keywords,
    coalesce(p.mesh_terms, []) as mesh_terms,
    coalesce(p.publication_types, []) as publication_types,
    coalesce(a.reference_count, p.reference_count) as reference_count,
    if(
        len(a.reference_pmids) > 0 or len(a.reference_dois) > 0,
        list_concat(
            list_transform(coalesce(a.reference_pmids, []), lambda reference: 'pubmed:' || reference),
            list_transform(coalesce(a.reference_dois, []), lambda reference: 'doi:' || reference)
        ),
        coalesce(p.reference_ids, [])
    ) as reference_ids,
    a.citation,
    a.license_code,
    a.license_url,
    n.cluster_id,
    n.model_id as cluster_model,
    coalesce(n.primary_label, []) as primary_label,
    coalesce(n.secondary_label, []) as secondary_label,
    n.label_source,
    n.label_confidence,
    n.panel_type,
    n.panel_subtype,
    n.panel_count,
    a.is_manuscript,
    a.is_retracted or coalesce(p.is_retracted, false) as is_retracted,
    i.is_too_small,
    i.is_duplicate_of,
    not (i.is_too_small or a.is_retracted or coalesce(p.is_retracted, false) or i.is_duplicate_of is not null)
        as is_default,
    case
        when ('0x' || md5(i.pmcid)[1:8])::bigint % 100 < 90 then 'train'
        when ('0x' || md5(i.pmcid)[1:8])::bigint % 100 < 95 then 'validation'
        else 'test'
    end as split,
    coalesce(
        list_filter(l.media_urls, lambda url: ends_with(url, '/' || i.image_name))[1],
        list_filter(l.media_urls, lambda url: ends_with(url_decode(url), '/' || i.image_name))[1],
        l.package_url
    ) as source_url,
    i.part_path,
    i.offset_bytes,
    i.size_bytes
from captioned_images as i
join core.articles as a using (pmcid, version)
left join figure_mentions as m using (pmcid, version, figure_index)
left join figure_subcaptions as s using (pmcid, version, figure_index)
left join core.annotations as n using (pmcid, version, figure_index, graphic_index)
left join raw.filelists as l using (pmcid, version)
left join core.pubmed_records as p on p.pmid = a.pmid
order by i.pmcid[4:]::bigint, i.version, i.figure_index, i.graphic_index
