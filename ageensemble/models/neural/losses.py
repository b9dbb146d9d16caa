"""Losses: one class each, whose `forward` punishes the outputs of a network and whose `distribution` reads them.

Every loss ends in an age distribution, so that all are compared by the same metrics. `output` is `(n, outputs)`
float32; `low` and `high` are `(n,)` int64, the youngest and oldest age that a label allows, equal where it is exact.
`forward` returns the loss of each photograph, `(n,)`, unweighted.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ... import ages

VARIANCE_SHARE, MEAN_SHARE = 0.05, 0.2  # of the mean-variance loss, the values of its authors


class _Loss(nn.Module):
    """What the losses share: labels in, `years` for the history, the prior that group weights have shifted taken back.

    Parameters
    ----------
    y : (m, 2) int array, years
        labels of the training items
    groups : ages.Scheme or None
        the age groups that occur among them, for losses and weights that need groups
    sigma : float, years
        width of soft labels
    smoothing : float
        share of the target that is spread over all ages (label smoothing; Szegedy et al. 2016, CVPR)
    correction : (A,) array
        what to multiply a distribution with to get back to the prior of the training items; ones without weights
    """

    heeds = ()  # which of sigma and smoothing change anything
    exact = False  # needs one age for each item
    learns_residuals = False

    def __init__(self, y, *, age_groups, sigma, smoothing, correction):
        super().__init__()
        if self.exact:
            ages.exact(y, f"loss={self.name}")
        self.age_groups, self.sigma, self.smoothing = age_groups, sigma, smoothing
        self.register_buffer("correction", torch.tensor(correction, dtype=torch.float32))
        # Training begins where the labels, weighted as they are in training, already are
        start = ages.histogram(y) / correction
        self.start = start / start.sum()

    def _corrected(self, distribution):
        # Saerens, Latinne & Decaestecker 2002, Neural Computation 14: weights in training change the prior, no more
        distribution = distribution * self.correction
        return distribution / distribution.sum(1, keepdim=True)

    def years(self, output):
        """Median age, `(n,)`: what the history counts errors of."""
        return (self.distribution(output).cumsum(1) < 0.5).sum(1).float()


class _Years(_Loss):
    """One output for each year of age; what the network learns is how a photograph differs from the histogram."""

    heeds = ("smoothing",)
    outputs = ages.N_AGES

    def __init__(self, y, **settings):
        super().__init__(y, **settings)
        self.register_buffer("prior", torch.tensor(np.log(self.start), dtype=torch.float32))
        self.register_buffer("axis", torch.arange(ages.N_AGES, dtype=torch.float32))

    def _log(self, output):
        return F.log_softmax(output + self.prior, 1)

    def _against(self, output, target):
        target = (1 - self.smoothing) * target + self.smoothing / ages.N_AGES
        return -(target * self._log(output)).sum(1)

    def _allowed(self, low, high):
        """Which years a label allows, `(n, A)`."""
        return ((self.axis >= low[:, None]) & (self.axis <= high[:, None])).float()

    def distribution(self, output):
        """Age distributions, `(n, A)`."""
        return self._corrected(self._log(output).exp())


class CrossEntropy(_Years):
    """Cross-entropy over years, each a class of its own (DEX; Rothe, Timofte & Van Gool 2018, IJCV 126)."""

    def forward(self, output, low, high):
        """Minus the log of the probability of the years that the label allows."""
        if self.smoothing:
            allowed = self._allowed(low, high)
            return self._against(output, allowed / allowed.sum(1, keepdim=True))
        outside = 1 - self._allowed(low, high)
        return -torch.logsumexp(self._log(output).masked_fill(outside.bool(), -torch.inf), 1)


class SoftLabel(_Years):
    """Cross-entropy with labels blurred by a Gaussian (DLDL; Gao et al. 2017, IEEE Trans. Image Processing 26)."""

    heeds = ("sigma", "smoothing")

    def __init__(self, y, **settings):
        super().__init__(y, **settings)
        bells = torch.exp(-0.5 * ((self.axis[:, None] - self.axis) / self.sigma) ** 2)
        self.register_buffer("bells", bells / bells.sum(1, keepdim=True))

    def _target(self, low, high):
        allowed = self._allowed(low, high)
        return allowed @ self.bells / allowed.sum(1, keepdim=True)

    def forward(self, output, low, high):
        """Cross-entropy between the blurred label and the distribution."""
        return self._against(output, self._target(low, high))


class SoftLabelMean(SoftLabel):
    """Soft labels, and the absolute error of the mean age (DLDL-v2; Gao et al. 2018, IJCAI)."""

    exact = True

    def forward(self, output, low, high):
        """The cross-entropy plus a tenth of the error: years weigh more than nats, the authors weigh both alike."""
        error = (self._log(output).exp() @ self.axis - low).abs()
        return super().forward(output, low, high) + 0.1 * error


class MeanVariance(CrossEntropy):
    """Cross-entropy, the squared error of the mean and the variance together (Pan et al. 2018, CVPR)."""

    exact = True

    def forward(self, output, low, high):
        """The three terms with the weights of the paper."""
        probability = self._log(output).exp()
        mean = probability @ self.axis
        variance = (probability * (self.axis - mean[:, None]) ** 2).sum(1)
        return super().forward(output, low, high) + MEAN_SHARE / 2 * (mean - low) ** 2 + VARIANCE_SHARE * variance


class Ordinal(_Loss):
    """Older than 0, 1, ..., 119? Binary answers of one output (CORAL; Cao, Mirjalili & Raschka 2020, PRL 140)."""

    heeds = ("smoothing",)
    outputs = 1

    def __init__(self, y, **settings):
        super().__init__(y, **settings)
        older = 1 - np.cumsum(self.start)[:-1].clip(1e-4, 1 - 1e-4)
        self.threshold = nn.Parameter(torch.tensor(np.log(older / (1 - older)), dtype=torch.float32))
        self.register_buffer("step", torch.arange(ages.N_AGES - 1))

    def _logits(self, output):
        return output + self.threshold

    def forward(self, output, low, high):
        """Binary cross-entropy, summed over the steps that the label answers."""
        older, known = self.step < low[:, None], (self.step < low[:, None]) | (self.step >= high[:, None])
        target = older.float() * (1 - self.smoothing) + self.smoothing / 2
        each = F.binary_cross_entropy_with_logits(self._logits(output), target, reduction="none")
        return (each * known).sum(1)

    def distribution(self, output):
        """Differences of the probabilities to be older, `(n, A)`; thresholds out of order count as no difference."""
        older = F.pad(F.pad(self._logits(output).sigmoid(), (1, 0), value=1.0), (0, 1), value=0.0)
        return self._corrected((older[:, :-1] - older[:, 1:]).clamp(min=1e-9))


class _Number(_Loss):
    """One output, the age itself; the inner part that is held out lends the residuals that make it a distribution."""

    outputs = 1
    exact = True
    learns_residuals = True

    def __init__(self, y, **settings):
        super().__init__(y, **settings)
        self.register_buffer("scale", torch.tensor([y[:, 0].mean(), max(y[:, 0].std(), 1.0)], dtype=torch.float32))
        self.register_buffer("inner_predicted", torch.zeros(0))
        self.register_buffer("inner_age", torch.zeros(0, dtype=torch.int64))

    def learn_residuals(self, predicted, age):
        """Remember inner held-out predictions, `(k,)` years, and the true ages, `(k,)`."""
        self.inner_predicted, self.inner_age = predicted, age

    def years(self, output):
        """The predicted age, `(n,)`."""
        return output[:, 0] * self.scale[1] + self.scale[0]

    def distribution(self, output):
        """What was true where the network said the like, `(n, A)`; see `ages.from_numbers`."""
        known = [part.cpu().numpy() for part in (self.years(output), self.inner_predicted, self.inner_age)]
        return torch.from_numpy(ages.from_numbers(*known, k=max(20, len(known[1]) // 6))).to(output.device)


class SmoothL1(_Number):
    """Absolute error, squared below one year (Girshick 2015, ICCV)."""

    def forward(self, output, low, high):
        """The error in years, its tip rounded."""
        return F.smooth_l1_loss(self.years(output), low.float(), reduction="none")


class L1(_Number):
    """Absolute error."""

    def forward(self, output, low, high):
        """The error in years."""
        return (self.years(output) - low).abs()


class MSE(_Number):
    """Squared error."""

    def forward(self, output, low, high):
        """The squared error in units of the spread of the training ages, lest one outlier throws the weights."""
        return ((self.years(output) - low) / self.scale[1]) ** 2


class Groups(_Loss):
    """Classification of the age groups, the mass of each spread over its years as its training items are."""

    heeds = ("smoothing",)

    def __init__(self, y, **settings):
        super().__init__(y, **settings)
        self.outputs = len(self.age_groups)
        self.register_buffer("lookup", torch.tensor(self.age_groups.lookup))
        spread = ages.from_groups(np.eye(self.outputs), self.age_groups, y)
        self.register_buffer("spread", torch.tensor(spread, dtype=torch.float32))

    def forward(self, output, low, high):
        """Cross-entropy of the groups."""
        return F.cross_entropy(output, self.lookup[low], reduction="none", label_smoothing=self.smoothing)

    def distribution(self, output):
        """Age distributions, `(n, A)`."""
        return self._corrected(output.softmax(1) @ self.spread)


LOSSES = {
    "crossentropy": CrossEntropy,
    "softlabel": SoftLabel,
    "softlabelmean": SoftLabelMean,
    "meanvariance": MeanVariance,
    "ordinal": Ordinal,
    "smoothl1": SmoothL1,
    "l1": L1,
    "mse": MSE,
    "age_groups": Groups,
}
for _name, _class in LOSSES.items():
    _class.name = _name
