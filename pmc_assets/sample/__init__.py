"""The embedded sample: a synthetic bucket in NLM's layout."""
