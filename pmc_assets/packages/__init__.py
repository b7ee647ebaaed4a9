"""Stored files of article versions: tar parts and their index."""
