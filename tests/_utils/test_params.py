"""Parameters of plug-ins: which there are, their defaults, and the words of their docstrings."""

from ageensemble._utils.params import describe_parameters, parameter_defaults


class Base:
    """A base.

    Parameters
    ----------
    size, width : int
        of a side,
        in pixels
    lr : float
        learning rate

    Attributes
    ----------
    lr : str
        something else
    """

    def __init__(self, *, size=1, width=2, lr=0.1):
        pass


class Passing(Base):
    """A class that passes parameters on.

    Parameters
    ----------
    depth : int
        of the network
    """

    def __init__(self, *, depth=3, lr=0.5, **more):
        pass


class Closed(Passing):
    def __init__(self, *, lr=0.7):
        pass


def test_parameters_are_those_of_the_class_and_of_the_classes_it_passes_them_on_to():
    assert parameter_defaults(Passing) == {"depth": 3, "lr": 0.5, "size": 1, "width": 2}
    assert parameter_defaults(Closed) == {"lr": 0.7}
    assert parameter_defaults(type("Empty", (), {})) == {}


def test_parameters_are_described_by_the_docstrings_of_class_and_bases():
    described = {row.pop("name"): tuple(row.values()) for row in describe_parameters(Passing)}
    assert described == {
        "depth": (3, "int", "of the network"),
        "lr": (0.5, "float", "learning rate"),
        "size": (1, "int", "of a side, in pixels"),
        "width": (2, "int", "of a side, in pixels"),
    }
