"""SQL over the lake: contracts, views, queries, search."""
