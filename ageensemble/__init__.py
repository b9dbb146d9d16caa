"""ageensemble: what predicts age best on these face photographs, and by how much for sure."""

__version__ = "0.1.0"
