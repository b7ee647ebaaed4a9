"""Reading JATS: bytes in, records out."""
