"""Losses: one class each, whose `forward` compares the outputs of a network with labels and whose `distribution` turns
them into age distributions, so that networks of all losses are compared by the same metrics."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ... import ages
from ..._utils.registry import Registry

VARIANCE_SHARE, MEAN_SHARE = 0.05, 0.2  # of the mean-variance loss, the values of its authors


class Loss(nn.Module):
    """Base class of losses.

    A subclass says by `outputs` how many numbers its network puts out, and implements `forward` and `distribution`.

    Parameters
    ----------
    y : (m, 2) int array, years
        labels of the training items
    age_groups : AgeGroups or None
        the age groups that occur among them, for losses and weights that need age groups
    sigma : float, years
        width of soft labels
    smoothing : float
        share of the target that is spread over all ages (label smoothing; Szegedy et al. 2016, CVPR)
    correction : (121,) array
        what to multiply a distribution with to get back to the prior of the training items; ones without weights

    Attributes
    ----------
    name : str
        as in `loss=NAME`; the class's own in small letters unless given
    outputs : int
    uses : tuple of str
        which of `sigma` and `smoothing` change anything
    exact : bool
        whether it needs one age for each item, not a range
    learns_residuals : bool
        whether `distribution` needs the residuals of a validation part, see `NumberLoss`
    """

    name: str = ""
    outputs: int
    uses: tuple[str, ...] = ()
    exact: bool = False
    learns_residuals: bool = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            cls.name = cls.__name__.lower()

    def __init__(self, y, *, age_groups, sigma, smoothing, correction):
        super().__init__()
        if self.exact:
            ages.exact(y, f"loss={self.name}")
        self.age_groups, self.sigma, self.smoothing = age_groups, sigma, smoothing
        self.register_buffer("correction", torch.tensor(correction, dtype=torch.float32))
        # Training begins where the labels, weighted as they are in training, already are
        start = ages.histogram(y) / correction
        self.start = start / start.sum()

    def forward(self, output, low, high):
        """Loss of each item, `(n,)`, unweighted.

        Parameters
        ----------
        output : torch.Tensor of float32, (n, outputs)
        low, high : torch.Tensor of int64, (n,)
            youngest and oldest age that a label allows, equal where it is exact
        """
        raise NotImplementedError

    def distribution(self, output):
        """Age distributions, `(n, 121)`, of outputs `(n, outputs)`."""
        raise NotImplementedError

    def _corrected(self, distribution):
        # Saerens, Latinne & Decaestecker 2002, Neural Computation 14: weights in training change the prior, no more
        distribution = distribution * self.correction
        return distribution / distribution.sum(1, keepdim=True)

    def years(self, output):
        """Median age, `(n,)`: what the history counts errors of."""
        return (self.distribution(output).cumsum(1) < 0.5).sum(1).float()


LOSSES = Registry("loss", base=Loss, group="ageensemble.losses")


class YearsLoss(Loss):
    """One output for each year of age; what the network learns is how an image differs from the histogram."""

    uses = ("smoothing",)
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
        """Which years a label allows, `(n, 121)`."""
        return ((self.axis >= low[:, None]) & (self.axis <= high[:, None])).float()

    def distribution(self, output):
        """Age distributions, `(n, 121)`."""
        return self._corrected(self._log(output).exp())


@LOSSES.register
class CrossEntropy(YearsLoss):
    """Cross-entropy over years, each a class of its own (DEX; Rothe, Timofte & Van Gool 2018, IJCV 126)."""

    def forward(self, output, low, high):
        """Minus the log of the probability of the years that the label allows."""
        if self.smoothing:
            allowed = self._allowed(low, high)
            return self._against(output, allowed / allowed.sum(1, keepdim=True))
        outside = 1 - self._allowed(low, high)
        return -torch.logsumexp(self._log(output).masked_fill(outside.bool(), -torch.inf), 1)


@LOSSES.register
class SoftLabel(YearsLoss):
    """Cross-entropy with labels blurred by a Gaussian (DLDL; Gao et al. 2017, IEEE Trans. Image Processing 26)."""

    uses = ("sigma", "smoothing")

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


@LOSSES.register
class SoftLabelMean(SoftLabel):
    """Soft labels, and the absolute error of the mean age (DLDL-v2; Gao et al. 2018, IJCAI)."""

    exact = True

    def forward(self, output, low, high):
        """The cross-entropy plus a tenth of the error: years weigh more than nats, the authors weigh both alike."""
        error = (self._log(output).exp() @ self.axis - low).abs()
        return super().forward(output, low, high) + 0.1 * error


@LOSSES.register
class MeanVariance(CrossEntropy):
    """Cross-entropy, the squared error of the mean and the variance together (Pan et al. 2018, CVPR)."""

    exact = True

    def forward(self, output, low, high):
        """The three terms with the weights of the paper."""
        probability = self._log(output).exp()
        mean = probability @ self.axis
        variance = (probability * (self.axis - mean[:, None]) ** 2).sum(1)
        return super().forward(output, low, high) + MEAN_SHARE / 2 * (mean - low) ** 2 + VARIANCE_SHARE * variance


@LOSSES.register
class Ordinal(Loss):
    """Older than 0, 1, ..., 119? Binary answers of one output (CORAL; Cao, Mirjalili & Raschka 2020, PRL 140)."""

    uses = ("smoothing",)
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
        """Differences of the probabilities to be older, `(n, 121)`; thresholds out of order count as no difference."""
        older = F.pad(F.pad(self._logits(output).sigmoid(), (1, 0), value=1.0), (0, 1), value=0.0)
        return self._corrected((older[:, :-1] - older[:, 1:]).clamp(min=1e-9))


class NumberLoss(Loss):
    """One output, the age itself; the residuals on the validation part make it a distribution."""

    outputs = 1
    exact = True
    learns_residuals = True

    def __init__(self, y, **settings):
        super().__init__(y, **settings)
        self.register_buffer("scale", torch.tensor([y[:, 0].mean(), max(y[:, 0].std(), 1.0)], dtype=torch.float32))
        self.register_buffer("inner_predicted", torch.zeros(0))
        self.register_buffer("inner_age", torch.zeros(0, dtype=torch.int64))

    def learn_residuals(self, predicted, age):
        """Remember predictions for the validation part, `(k,)` years, and the true ages, `(k,)`."""
        self.inner_predicted, self.inner_age = predicted, age

    def years(self, output):
        """The predicted age, `(n,)`."""
        return output[:, 0] * self.scale[1] + self.scale[0]

    def distribution(self, output):
        """True ages of validation items with similar predictions, `(n, 121)`; see `NumberLoss`."""
        known = [part.cpu().numpy() for part in (self.years(output), self.inner_predicted, self.inner_age)]
        return torch.from_numpy(ages.distribution_from_residuals(*known, k=max(20, len(known[1]) // 6))).to(
            output.device
        )


@LOSSES.register
class SmoothL1(NumberLoss):
    """Absolute error, squared below one year (Girshick 2015, ICCV)."""

    def forward(self, output, low, high):
        """The error in years, its tip rounded."""
        return F.smooth_l1_loss(self.years(output), low.float(), reduction="none")


@LOSSES.register
class L1(NumberLoss):
    """Absolute error."""

    def forward(self, output, low, high):
        """The error in years."""
        return (self.years(output) - low).abs()


@LOSSES.register
class MSE(NumberLoss):
    """Squared error."""

    def forward(self, output, low, high):
        """The squared error in units of the spread of the training ages, lest one outlier throws the weights."""
        return ((self.years(output) - low) / self.scale[1]) ** 2


@LOSSES.register
class AgeGroupsLoss(Loss):
    """Classification of the age groups, the mass of each spread over its years as its training items are."""

    name = "age_groups"
    uses = ("smoothing",)

    def __init__(self, y, **settings):
        super().__init__(y, **settings)
        self.outputs = len(self.age_groups)
        self.register_buffer("lookup", torch.tensor(self.age_groups.lookup))
        spread = ages.distribution_from_age_groups(np.eye(self.outputs), self.age_groups, y)
        self.register_buffer("spread", torch.tensor(spread, dtype=torch.float32))

    def forward(self, output, low, high):
        """Cross-entropy of the groups."""
        return F.cross_entropy(output, self.lookup[low], reduction="none", label_smoothing=self.smoothing)

    def distribution(self, output):
        """Age distributions, `(n, 121)`."""
        return self._corrected(output.softmax(1) @ self.spread)
