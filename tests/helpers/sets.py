"""Tiny sets of photographs for tests: a folder with annotations.csv, drawn in code."""

import shutil

from conftest import face


def folder_of(place, rows, columns="path,age,subject"):
    """A set of rows such as ("a.png", 20, "ann"), each photograph drawn for it alone; its folder.

    Parameters
    ----------
    place : pathlib.Path
        made
    rows : list of tuple
        file, age, and what the further columns hold
    columns : str
    """
    place.mkdir(parents=True)
    text = [columns, *(",".join(map(str, row)) for row in rows)]
    (place / "annotations.csv").write_text("\n".join(text) + "\n")
    for number, (file, age, *_) in enumerate(rows):
        face(age, sum(map(ord, place.name)) * 1000 + number, side=32).save(place / file)
    return place


PEOPLE, FOLDS = 12, 3


def told(place):
    """60 photographs of twelve people, each person in one of three folds of the set's own; the folder."""
    rows = [(f"{i:02}.png", 15 + i, f"p{i % PEOPLE}", i % PEOPLE % FOLDS) for i in range(60)]
    return folder_of(place, rows, "path,age,subject,official")


def shared(one, other):
    """Put the photograph `one`, a path, in the place of `other` as well."""
    shutil.copy(one, other)
