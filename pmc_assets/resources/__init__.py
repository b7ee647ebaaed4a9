"""Dagster resources: the lake, the source, EFetch."""
