import os
import re

from .base import Reader
from .files import first_images, image_paths, table_of_files
from .table import age_of

# names of images in folders of other numbers: IMDB-WIKI's in 00 ... 99, FG-NET's where each person has a folder
NO_AGES = re.compile(r"_\d{1,4}-\d{1,2}-\d{1,2}_\d{4}\.|/\d{3}A\d\d[a-z]?\.", re.IGNORECASE)
GENDERS = {"111", "112"}  # folders of AFAD's, in each folder of an age


class AgeFolders(Reader):
    """Images in folders named by their age (`001/ ... 110/`) or range of ages (`1-2/ ... over80/`).

    How Kaggle's "facial-age" and many sets for classifiers are laid out. The folder that an image lies in says its age;
    folders above it (`face_age/`, `train/`) say nothing. Quirk: the archive of facial-age holds every image twice, in
    `face_age/` and again in `face_age/face_age/`; the inner copies are listed, not used.
    """

    layout = (
        "folders named by an age (001 ... 110, or 1 ... 110) or a range (1-2, 25-32, over80, 80+), the photos in them"
    )
    license = "not known here; ask where the folders come from (Kaggle's facial-age states its terms on its page)"

    def detect(self, root):
        # The first images lie in a folder beside others, of which most are named by ages and none by another number;
        # whichever of these folders the disk names first, the answer is the same
        if not root.is_dir():
            return False
        inside = [path for path in first_images(root) if "/" in path]
        if not inside or any(NO_AGES.search(path) for path in inside):
            return False
        level = os.path.dirname(os.path.dirname(inside[0]))
        if _is_age(os.path.basename(level)):  # in AFAD, 25/111/
            return False
        with os.scandir(root / level) as entries:
            beside = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        named = [name for name in beside if _is_age(name)]
        if set(named) <= GENDERS:
            return False
        people = any(name.isdigit() for name in set(beside) - set(named))  # 1 ... 150 number people, or anything
        parts = len(named) == 100 and all(len(name) == 2 for name in named)  # 00 ... 99 number the parts of a set
        return len(named) > max(1, len(beside) / 2) and not people and not parts

    def read(self, root):
        known, top = set(image_paths(root)), root.resolve().name

        def labels(path):
            outer = _outer(path, top, known)
            if outer and _size(root / path) == _size(root / outer):
                return f"the same file twice in the archive: also {outer}"
            folder = os.path.basename(os.path.dirname(path))
            low, high, problem = age_of(folder)
            return f"in no folder named by an age: {folder}" if problem else {"age_min": low, "age_max": high}

        return table_of_files(root, labels)


def _outer(path, top, known):
    """Where an image of that name lies one folder further up, as `a/25/1.jpg` for `a/a/25/1.jpg`, else None."""
    parts = path.split("/")
    for i, (above, part) in enumerate(zip([top, *parts], parts[:-2], strict=False)):
        shorter = "/".join(parts[:i] + parts[i + 1 :])
        if part == above and shorter in known:
            return shorter
    return None


def _size(file):
    try:
        return os.path.getsize(file)
    except OSError:
        return None


def _is_age(name):
    return age_of(name)[2] is None
