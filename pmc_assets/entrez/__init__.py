"""PubMed records from EFetch."""
