"""A plain convolutional network, trained from scratch."""

from numbers import Integral
from typing import ClassVar

from sklearn.utils._param_validation import Interval

from .estimator import NeuralAgeEstimator


class CNN(NeuralAgeEstimator):
    """Plain convolutional network from scratch: convolutions with ReLU and max-pooling, then connected layers.

    Parameters
    ----------
    depth : int
        convolutions, and connected layers: 3 means three and three
    width : int
        channels of the first convolution, doubled by each further one
    hidden : int
        width of the first connected layer, halved by each further one; the last has the outputs
    pool : int
        the last feature map is averaged to so many fields along each side, whatever the size of the image
    norm : bool
        batch normalization after each convolution
    """

    _parameter_constraints: ClassVar[dict[str, list]] = NeuralAgeEstimator._parameter_constraints | {
        "depth": [Interval(Integral, 1, 4, closed="both")],
        **{key: [Interval(Integral, 1, 4096, closed="both")] for key in ("width", "hidden", "pool")},
        "norm": ["boolean"],
    }

    def __init__(
        self, *, depth=3, width=16, hidden=256, pool=8, norm=False, size="64", epochs=12, batch=32, lr=2e-3, **training
    ):  # fmt: skip
        super().__init__(size=size, epochs=epochs, batch=batch, lr=lr, **training)
        self.depth, self.width, self.hidden, self.pool, self.norm = depth, width, hidden, pool, norm

    def check_parameters(self):
        """Refuse parameters out of range, and a width of layers that there are none of."""
        super().check_parameters()
        self._check_used("hidden", self.depth > 1, "depth=2 or more")

    def backbone(self, pretrained):
        """The convolutions, (n, 3, h, w) to (n, channels * pool * pool)."""
        from torch import nn

        layers, before = [], 3
        for number in range(self.depth):
            channels = self.width * 2**number
            layers += [nn.Conv2d(before, channels, 3, padding=1)]
            layers += [nn.BatchNorm2d(channels)] if self.norm else []
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            before = channels
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(self.pool), nn.Flatten())

    def normalization(self):
        """About what the pixels of faces have."""
        return 0.5, 0.25

    @property
    def layers(self):
        """All connected layers but the last."""
        return [max(1, self.hidden >> number) for number in range(self.depth - 1)]
