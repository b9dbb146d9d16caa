"""`python -m ageensemble`."""

from .apps.cli.main import main

main()
