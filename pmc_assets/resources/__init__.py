"""Dagster resources: the lake, the source, EFetch, the encoder; how runs are started, limited and remembered."""
