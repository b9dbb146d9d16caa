"""23,708 aligned faces of 0 to 116 years, with gender and ethnicity, from Hugging Face (nlphuji/utk_faces).

Zhang, Song & Qi, "Age Progression/Regression by Conditional Adversarial Autoencoder", CVPR 2017. A commit of a public
copy is named here, and the SHA-256 of its archive as others measured it, so that everybody gets the same photographs.
"""

import re

from ..readers.utkface import UTKFace
from . import _huggingface

LICENSE = UTKFace.license
REPOSITORY = "nlphuji/utk_faces"
REVISION = "fb7f7d7102fd040c4211002b0c43e3ab727afffc"
FILE = "utk_faces_images.zip"
SHA256 = "938b68cafa61c4f58732f312d04caa808ddd420ff24a4c9cff0c2145e8255783"
PAGE = f"https://huggingface.co/datasets/{REPOSITORY}"
PHOTOS = re.compile(r"utk_faces_images/(?P<path>[0-9][^/]*\.jpg)")


def fetch(folder):
    """Bring the set, see `ageensemble.data.download`."""
    return _huggingface.fetch("utkface", REPOSITORY, REVISION, FILE, SHA256, PAGE, folder)
