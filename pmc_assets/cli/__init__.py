"""The command `pmc-assets`: everything that the UI does."""
