"""Data sets that are not fetched here, for their terms or where they lie: where each is to be had, and how.

The keys are, with hyphens for underscores, the names of formats in `ageensemble.datasets`, which know their terms.
"""

ELSEWHERE = {
    "adience": "https://talhassner.github.io/home/projects/Adience/Adience-data.html leads to the download, which asks "
    "for a login: aligned.tar.gz or faces.tar.gz, and fold_0_data.txt to fold_4_data.txt beside what is unpacked",
    "afad": "https://github.com/afad-dataset/tarball has the archive in pieces; its restore.sh puts them together",
    "agedb": "https://ibug.doc.ic.ac.uk/resources/agedb/ has the archive; its authors, at Imperial College London, "
    "give the password to who asks them from an academic address",
    "all-age-faces": "https://github.com/JingchunCheng/All-Age-Faces-Dataset names the download, at pan.baidu.com, "
    "and whom to ask",
    "appa-real": "https://chalearnlap.cvc.uab.cat/dataset/26/description/ has the archive, appa-real-release.zip",
    "fairface": "https://github.com/joojs/fairface leads to two archives, with little and with wide margins, and to "
    "the two label files, which belong beside what is unpacked",
    "fgnet": "https://yanweifu.github.io/FG_NET_data/ has a copy, FGNET.zip; the project that made the set (FG-NET, "
    "funded by the EU) has ended, and its own site has closed",
    "imdb-wiki": "https://data.vision.ee.ethz.ch/cvl/rrothe/imdb-wiki/ has wiki_crop.tar and imdb_crop.tar, the faces "
    "only with their wiki.mat and imdb.mat",
    "morph": "https://uncw.edu/oic/tech/morph.html tells how to license it, for a fee",
}
