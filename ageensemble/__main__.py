"""`python -m ageensemble`."""

from .cli import main

main()
