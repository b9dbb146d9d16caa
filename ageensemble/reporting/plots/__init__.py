"""Images of results and of images, one file each."""

from .age_error import save_age_error
from .confusion import save_confusion
from .contact_sheet import save_contact_sheet
from .coverage import save_coverage
from .reliability import save_reliability
from .time_error import save_time_error
from .training import save_training
from .true_predicted import save_true_predicted
from .weights import save_weights

__all__ = [
    "save_age_error",
    "save_confusion",
    "save_contact_sheet",
    "save_coverage",
    "save_reliability",
    "save_time_error",
    "save_training",
    "save_true_predicted",
    "save_weights",
]
