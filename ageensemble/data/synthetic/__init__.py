"""Drawn faces, so that everything can be tried without a photograph."""
