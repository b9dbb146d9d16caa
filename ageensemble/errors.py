"""Errors a user can act on: each prints as one line and ends the command with its own exit code.

Exit codes: 0 all done; 1 done, but some fold fit failed or some image to predict could not be read; 2 the command
line; 3 the data or a file given; 4 the disk (full, read-only, damaged run); 130 interrupted.
"""


class AgeEnsembleError(Exception):
    """Something the user can put right; the message says what was wrong and what would be right."""

    exit_code = 3


class UsageError(AgeEnsembleError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class DataError(AgeEnsembleError):
    """The images, labels or a given file cannot be used as they are."""


class DiskError(AgeEnsembleError):
    """Something could not be written, or what is on disk is damaged."""

    exit_code = 4


class UnequalError(AgeEnsembleError):
    """Results that were not made on the same items and split were asked to share a table."""
