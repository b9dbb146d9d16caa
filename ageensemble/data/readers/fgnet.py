import re

from .base import FilenameReader


class FGNet(FilenameReader):
    """FG-NET file names: `001A02.JPG`, person 001 at the age of 2.

    Lanitis, Taylor & Cootes, "Toward automatic simulation of aging effects on face images", IEEE TPAMI 24 (2002), and
    Panis, Lanitis, Tsapatsoulis & Cootes, "Overview of research on facial ageing using the FG-NET ageing database", IET
    Biometrics 5 (2016): 1,002 images of 82 people, aged 0 to 69, from family albums. Several of one person at one age
    are told apart by a small letter (`001A43a.JPG`). The gender is not given.
    """

    layout = "photos named by person and age, such as 001A02.JPG or 001A43a.JPG"
    license = "FG-NET: terms unknown, its own site has closed; ask the source you have it from"
    pattern = re.compile(r"(?:^|/)(?P<subject>[0-9]{3})A(?P<age>[0-9]{2})[a-z]?\.\w+$", re.IGNORECASE)
    convention = "person, A, age"
