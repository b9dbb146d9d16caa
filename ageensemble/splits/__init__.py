"""Splits of a data set into a test part and folds."""
