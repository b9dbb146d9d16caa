"""A page that shows what `data check` found: one HTML file without scripts, which fetches nothing.

    audit -> findings (in words) -> sections (labels, images, left_out) -> whole -> one file

markup.py    HTML from text that may hold anything: what is not markup already is escaped
charts.py    charts as inline SVG, as wide as the screen
findings.py  what stands out, in sentences
labels.py    ages, rounded ages, age by gender and ethnicity
images.py  images: some of every age, sizes, the same image with different ages, suspects
left_out.py  what is excluded and why, what cleaning removed
whole.py     the sections put together, and what keeps the page from doing anything else
"""

from .report import save

__all__ = ["save"]
