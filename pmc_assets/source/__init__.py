"""Where articles come from: NLM's bucket or the old tarballs."""
