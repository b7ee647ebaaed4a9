"""The lakehouse of PubMed Central figures."""
