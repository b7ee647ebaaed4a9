-- How much is stored per licence group, and how much of it becomes samples?
-- depends: raw.packages, out.samples
-- column: license_group | Terms of use
-- column: files | Stored files
-- column: stored | Their size [MB]
-- column: samples | Samples
-- column: sampled | Size of the samples' images [MB]
with stored as (
    select license_group, count(*) as files, sum(size_bytes) as size_bytes from raw.packages group by license_group
),
sampled as (
    select license_group, count(*) as samples, sum(size_bytes) as size_bytes from out.samples group by license_group
)
select
    license_group,
    files,
    round(stored.size_bytes / 1e6, 1) as stored,
    coalesce(samples, 0) as samples,
    round(coalesce(sampled.size_bytes, 0) / 1e6, 1) as sampled
from stored
left join sampled using (license_group)
order by license_group
