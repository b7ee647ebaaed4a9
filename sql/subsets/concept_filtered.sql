-- Pictures of things, not of data: any sample with at least one of the concepts below, of confidence 0.6 or more;
-- default filter applied
-- license_groups: commercial, noncommercial
-- formats: wds, parquet
select sample_key
from out.samples
where
    is_default
    and label_confidence >= 0.6
    and list_has_any(
        primary_label,
        [
            'Clinical Imaging', 'Microscopy', 'Immuno Assays', 'PCR', 'Natural Images', 'Lab Specimens and Cultures',
            'Tools and Materials'
        ]
    )
    and not list_has_any(
        primary_label,
        [
            'Plots and Charts', 'Illustrative Diagrams', 'Chemical Structures', 'Tables', 'Graph and Network', 'Maps',
            'Scientific Formulae and Equations', 'Hand Drawn and Screen Based Visuals'
        ]
    )
