"""Stacks: one prediction made of several runs' predictions, nothing fitted again.

    complete runs -> members -> sample -> temperatures -> a pool by each method, cross-fitted -> pooled -> a run on disk

A method is one file in `methods/`.
"""

from . import views
from .combining import combine

__all__ = ["combine", "views"]
