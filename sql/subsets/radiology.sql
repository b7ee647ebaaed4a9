-- Radiographs, CT, MRI, ultrasound, mammography, nuclear imaging and angiography, by labels of confidence 0.6 or more;
-- default filter applied
-- license_groups: commercial, noncommercial
-- formats: wds, parquet
select sample_key
from out.samples
where
    is_default
    and label_confidence >= 0.6
    and list_has_any(
        secondary_label,
        [
            'x-ray radiography', 'computerized tomography', 'magnetic resonance', 'functional magnetic resonance',
            'ultrasound', 'echocardiography', 'angiography', 'nuclear imaging', 'mammography'
        ]
    )
