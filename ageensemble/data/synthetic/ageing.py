"""What age does to the proportions of a face, and how far it has taken wrinkles, sagging, graying and baldness.

Lengths are in half heads: the top of the skull is at v = -1, the chin near v = +1, the midline is u = 0. Proportions
follow Farkas, *Anthropometry of the Head and Face* (1994), divided by the head height of their age; what ages and where
follows Albert, Ricanek and Patterson, "A review of the literature on the aging adult skull and face", Forensic Science
International 172 (2007). Babies' eyes are drawn a little larger than life, as so few pixels show so little of them.
"""

from types import SimpleNamespace

import numpy as np

# Share of the way from the newborn's to the adult's proportions (face height, Farkas 1994, appendix A).
GROWTH_AGES = (0, 1, 3, 6, 10, 14, 18)
GROWTH = (0.0, 0.20, 0.42, 0.60, 0.77, 0.91, 1.0)

# Radius of the head's outline every 30 degrees from the top of the skull to the chin.
OUTLINE_BABY = np.array([0.98, 0.98, 0.93, 0.86, 0.86, 0.88, 0.88])
OUTLINE_ADULT = np.array([1.00, 0.93, 0.78, 0.68, 0.675, 0.79, 0.99])
OUTLINE_MALE = np.array([0.00, 0.00, 0.00, 0.01, 0.02, 0.045, 0.03])
OUTLINE_OLD = np.array([0.00, -0.01, -0.02, -0.01, 0.0, 0.04, 0.01])  # temples hollow, jowls hang
WIDE = 0.028 * np.array([0.3, 0.5, 0.7, 1, 1, 0.8, 0])
JAW = 0.020 * np.array([0, 0, 0, 0, 0.3, 1, 0.3])

# Feature: place or size at birth, and in the adult. The eyes start below the middle of the head and end at it.
PROPORTIONS = {
    "eye_v": (0.21, -0.01),
    "eye_u": (0.34, 0.285),
    "eye_width": (0.18, 0.138),
    "eye_height": (0.105, 0.054),
    "iris": (0.088, 0.056),
    "brow_v": (-0.01, -0.19),
    "nose_v": (0.43, 0.40),
    "nose_width": (0.115, 0.145),
    "nose_height": (0.06, 0.16),
    "mouth_v": (0.60, 0.63),
    "mouth_width": (0.15, 0.225),
    "lip": (0.060, 0.062),
    "hairline": (-0.74, -0.60),
    "neck": (0.40, 0.42),
}
# How much of the scalp hair there is: little at birth, the rest within three years.
HAIR_AGES, HAIR_LEAST, HAIR_MOST = (0, 1, 2, 4), (0.02, 0.08, 0.4, 1.0), (0.35, 0.6, 0.9, 1.0)


def aged(person, age):
    """Say what a biological age does to one person's face.

    Parameters
    ----------
    person : SimpleNamespace
        Traits as `dataset` draws them; most are standard normal.
    age : float
        Biological age in years.

    Returns
    -------
    SimpleNamespace
        The proportions at that age, and how far each sign of age has gone (0 not at all, 1 far, for the old even more).
    """
    grown = float(np.interp(age * (1 + 0.06 * person.early), GROWTH_AGES, GROWTH))
    look = SimpleNamespace(grown=grown, **{name: a + (b - a) * grown for name, (a, b) in PROPORTIONS.items()})
    _progress(look, person, age)
    _build(look, person)
    sag = min(look.sag, 1.4)
    look.outline = OUTLINE_BABY + (OUTLINE_ADULT - OUTLINE_BABY) * grown + look.male * OUTLINE_MALE + sag * OUTLINE_OLD
    look.outline = look.outline + person.wide * WIDE + person.jaw * JAW
    return look


def _progress(look, person, age):
    """How far each sign of age has gone. Each starts at a time of the person's own, so none tells the age alone."""
    look.teen = _rise(age, 14 + 0.7 * person.early, 1.5)
    look.male = look.teen * person.male
    look.worn = max(0.0, (age - 24 - 3 * person.smooth) / 50) ** 1.15
    look.sag = max(0.0, (age - 34 - 3 * person.firm) / 45) ** 1.1
    look.rough = max(0.0, (age - 18 - 4 * person.smooth) / 62)
    look.gray = _rise(age, person.gray_from, 5.5) * (1 - person.dyed * _rise(-age, -74, 5))  # few dye on after 75
    look.bald = person.bald * max(0.0, min(1.0, (age - person.bald_from) / 28))
    look.long = person.long * (1 - 0.45 * _rise(age, 52, 6))  # fewer of the old wear it long
    least, most = np.interp(age, HAIR_AGES, HAIR_LEAST), np.interp(age, HAIR_AGES, HAIR_MOST)
    look.hair = float(least + (most - least) * person.fuzz)
    look.beard = look.male * person.beard * (age > 19)


def _build(look, person):
    """Shift and stretch the features by the person's build, and by what age and sex do to them."""
    sag = min(look.sag, 1.4)
    look.eye_v += 0.012 * person.eye_place
    look.eye_u += 0.015 * person.eye_gap
    look.eye_width *= 1 + 0.06 * person.eye_size
    look.eye_height *= (1 + 0.12 * person.eye_size) * (1 - 0.28 * sag) * (1.04 - 0.12 * look.male)
    look.brow_v += 0.018 * person.brow_place + 0.03 * look.male + 0.03 * sag
    look.nose_v += 0.02 * person.nose_length + 0.04 * sag
    look.nose_width *= 1 + 0.10 * person.nose_width + 0.08 * look.male + 0.10 * sag + 0.03 * person.tone
    look.nose_height *= 1 + 0.15 * person.nose_bridge
    look.mouth_v += 0.012 * person.mouth_place + 0.02 * sag
    look.mouth_width *= 1 + 0.07 * person.mouth_width
    look.lip *= (1 + 0.2 * person.lip) * (1 - 0.40 * sag) * (1.12 - 0.25 * look.male) * (0.95 + 0.06 * person.tone)
    look.hairline += 0.04 * person.forehead - 0.42 * look.bald - 0.03 * look.worn
    look.neck *= 0.90 + 0.20 * look.male


def _rise(age, middle, width):
    return float(1 / (1 + np.exp((middle - age) / width)))
