"""Figures, their images and mentions as tables."""
