"""Drawn faces, so that everything can be tried without an image."""
