"""A page that shows what `data check` found: one HTML file without scripts, which fetches nothing.

    audit -> findings (sentences) -> sections (labels, images, exclusions) -> report -> one file

html.py          HTML from text that may hold anything: what is not markup already is escaped
charts.py        charts as inline SVG, as wide as the screen
findings.py      what stands out, in sentences
labels.py        ages, rounded ages, age by gender and ethnicity
images.py        some images of every age, sizes, the same image with different ages
label_issues.py  labels that the predictions of a run contradict
exclusions.py    what is excluded and why, what filters removed
summary.py       the audit for a terminal
report.py        the sections put together, under a policy that lets the browser do nothing else
"""

from .report import save

__all__ = ["save"]
