"""Samples and the forms in which they leave the lake: shards, Parquet, JSON lines, the card, publishing."""
