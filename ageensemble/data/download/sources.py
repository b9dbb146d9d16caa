"""Where datasets are to be had: those that are downloaded, and how to come by the others."""

import re
from dataclasses import dataclass

from ..._utils.registry import summary
from ..readers import READERS

HUGGING_FACE, KAGGLE = "Hugging Face", "Kaggle"


@dataclass(frozen=True)
class Source:
    """Where a dataset is to be had.

    Attributes
    ----------
    name : str
        as typed after `data get`
    summary, license : str
        a line each; the license is shown before anything is fetched
    hub : str
        `HUGGING_FACE`, `KAGGLE`, or empty where the dataset is not downloaded here, for its terms or where it lies
    repository : str
        OWNER/NAME on the hub
    images : re.Pattern
        which of the files that come are kept; its group `path` says where
    revision, file, sha256 : str
        of Hugging Face: a commit, a zip file in it, and what that must hash to
    where : str
        where one that is not downloaded is to be had, and how
    """

    name: str
    summary: str
    license: str
    hub: str = ""
    repository: str = ""
    images: re.Pattern = re.compile("")
    revision: str = ""
    file: str = ""
    sha256: str = ""
    where: str = ""

    @property
    def page(self) -> str:
        """Where the terms can be read, and the dataset be had by hand."""
        site = {HUGGING_FACE: "https://huggingface.co/datasets", KAGGLE: "https://www.kaggle.com/datasets"}[self.hub]
        return f"{site}/{self.repository}"


def _elsewhere(name, where):
    """A dataset that is not downloaded; its reader knows what it is, and its terms."""
    reader = READERS.load(name)
    return Source(name, summary(reader), reader.license, where=where)


_SOURCES = [
    Source(
        # Each image twice in the archive, in face_age/001/ and in face_age/face_age/001/; one copy is kept
        "facial-age",
        "9,778 faces of 1 to 110 years in folders named by age, from Kaggle (frabbisw/facial-age).",
        "facial-age: those stated on its page; who holds the rights in the photographs is not known here, ask there",
        KAGGLE,
        "frabbisw/facial-age",
        re.compile(r"face_age/(?P<path>[0-9]+/[^/]+\.(png|jpe?g))", re.IGNORECASE),
    ),
    Source(
        # A commit of a public copy and the SHA-256 of its archive, so that everybody gets the same images
        "utkface",
        "23,708 aligned faces of 0 to 116 years, with gender and ethnicity, from Hugging Face (nlphuji/utk_faces).",
        READERS.load("utkface").license,
        HUGGING_FACE,
        "nlphuji/utk_faces",
        re.compile(r"utk_faces_images/(?P<path>[0-9][^/]*\.jpg)"),
        revision="fb7f7d7102fd040c4211002b0c43e3ab727afffc",
        file="utk_faces_images.zip",
        sha256="938b68cafa61c4f58732f312d04caa808ddd420ff24a4c9cff0c2145e8255783",
    ),
    _elsewhere(
        "adience",
        "https://talhassner.github.io/home/projects/Adience/Adience-data.html leads to the download, which asks "
        "for a login: aligned.tar.gz or faces.tar.gz, and fold_0_data.txt to fold_4_data.txt beside what is "
        "unpacked",
    ),
    _elsewhere(
        "afad",
        "https://github.com/afad-dataset/tarball has the archive in pieces; its restore.sh puts them together",
    ),
    _elsewhere(
        "agedb",
        "https://ibug.doc.ic.ac.uk/resources/agedb/ has the archive; its authors, at Imperial College London, "
        "give the password to who asks them from an academic address",
    ),
    _elsewhere(
        "all-age-faces",
        "https://github.com/JingchunCheng/All-Age-Faces-Dataset names the download, at pan.baidu.com, and whom to ask",
    ),
    _elsewhere(
        "appa-real",
        "https://chalearnlap.cvc.uab.cat/dataset/26/description/ has the archive, appa-real-release.zip",
    ),
    _elsewhere(
        "fairface",
        "https://github.com/joojs/fairface leads to two archives, with little and with wide margins, and to the "
        "two label files, which belong beside what is unpacked",
    ),
    _elsewhere(
        "fgnet",
        "https://yanweifu.github.io/FG_NET_data/ has a copy, FGNET.zip; the project that made the set (FG-NET, "
        "funded by the EU) has ended, and its own site has closed",
    ),
    _elsewhere(
        "imdb-wiki",
        "https://data.vision.ee.ethz.ch/cvl/rrothe/imdb-wiki/ has wiki_crop.tar and imdb_crop.tar, the faces only "
        "with their wiki.mat and imdb.mat",
    ),
    _elsewhere(
        "morph",
        "https://uncw.edu/oic/tech/morph.html tells how to license it, for a fee",
    ),
]
SOURCES = {source.name: source for source in _SOURCES}
