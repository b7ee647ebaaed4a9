"""Dagster resources: the lake, the source, EFetch; where Dagster keeps its history."""
