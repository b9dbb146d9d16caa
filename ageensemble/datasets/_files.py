"""Finding photograph files below a folder, for the sources that are told by file names."""

import os

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}


def photographs(root):
    """Paths of all image files below `root`, relative, POSIX, sorted; linked folders are named but not entered."""
    return sorted(_walk(str(root), ""))


def _walk(folder, prefix):
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, name + "/")
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES or (entry.is_symlink() and entry.is_dir()):
                yield name


def first_photographs(root, count=50):
    """Some image names below `root`, soon, whatever the size of the folder: enough to tell a naming convention."""
    found = []
    for name in _walk(str(root), ""):
        found.append(name)
        if len(found) == count:
            break
    return found
