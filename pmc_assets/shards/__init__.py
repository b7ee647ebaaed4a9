"""What readers download: samples, shards, Parquet, JSON lines, card."""
