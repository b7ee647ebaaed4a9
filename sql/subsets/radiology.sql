-- Radiographs, CT, MRI, ultrasound, mammography, nuclear imaging and angiography, by label; default filter applied
-- license_groups: commercial, noncommercial
-- formats: wds, parquet
select sample_key
from out.samples
where
    is_default
    and list_has_any(
        secondary_label,
        [
            'x-ray radiography', 'computerized tomography', 'magnetic resonance', 'functional magnetic resonance',
            'ultrasound', 'echocardiography', 'angiography', 'nuclear imaging', 'mammography'
        ]
    )
