import re

from .base import FilenameReader


class AFAD(FilenameReader):
    """AFAD's folders: `age/gender/*.jpg`, the gender as 111 (male) or 112 (female).

    Niu, Zhou, Wang, Gao & Hua, "Ordinal regression with multiple output CNN for age estimation", CVPR 2016: the Asian
    Face Age Dataset, 164,432 selfies from a social network. A name such as `406208-1.jpg` is a number and that of a
    face: in the lists of Cao, Mirjalili & Raschka (Pattern Recognition Letters 140, 2020) the faces of one number
    always have one age, though not one gender (647 of 1,482 numbers with several faces). So they are taken for faces in
    one picture and share a `moment`, and the age will not be right for all of them.
    """

    layout = "photos in folders age/gender, the gender being 111 (male) or 112 (female), such as 15/111/292943-1.jpg"
    license = "AFAD: academic research only"
    pattern = re.compile(r"(?:^|/)(?P<age>[0-9]{1,3})/(?P<gender>11[12])/(?:(?P<moment>[0-9]+)-[0-9]+|[^/]+)\.\w+$")
    convention = "age/111/... or age/112/..."
    fields = {"gender": {"111": "male", "112": "female"}}
