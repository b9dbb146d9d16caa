"""Verbs of the command line, one file for those that belong together, and the options that they share."""
