"""The command `pmc-assets`: runs, what is current, SQL, subsets, publishing, and the UI."""
