"""A pool: the rule that makes one age distribution out of those of several members."""

from dataclasses import asdict, dataclass

import numpy as np

from ..ages import DEFAULT_AGE_GROUPS, N_AGES
from ..evaluation.calibration import log_proba, softmax

BLOCK = 256  # items pooled at once, few enough to stay in the processor's cache


@dataclass(frozen=True)
class Pool:
    """How members are weighed.

    A linear pool is the weighted mean of the distributions (Stone 1961, Annals of Mathematical Statistics 32), which
    keeps every hump of every member and is less sure of itself than they are (Ranjan & Gneiting 2010, JRSS B 72). A
    log-pool is their weighted product, normalized (Genest & Zidek 1986, Statistical Science 1): members that know
    different things sharpen each other, so its weights need not sum to 1, and a bias per stratum mends what comes out
    too rarely or too often.

    Attributes
    ----------
    kind : {"linear", "log"}
    weights : (M,) array
        none negative; of a linear pool they sum to 1
    temperatures : (M,) array
        a member's distribution is raised to the power 1/T and normalized before it is pooled
    biases : (14,) array or None
        added to the logarithm of each year of a stratum of `ages.DEFAULT_AGE_GROUPS`
    shrinkage : float or None
        strength of the penalty under which the weights were found
    """

    kind: str
    weights: np.ndarray
    temperatures: np.ndarray
    biases: np.ndarray | None = None
    shrinkage: float | None = None

    def __call__(self, members, rows=slice(None)):
        """Pool members' age distributions, block by block.

        Parameters
        ----------
        members : sequence of M (n, A) arrays
            may lie on disk
        rows : slice or int array
            which items

        Returns
        -------
        (m, A) float32 array
            rows sum to 1
        """
        return self._in_blocks(lambda m, block: log_proba(members[m][block]), np.arange(len(members[0]))[rows])

    def of_logs(self, members):
        """The same from the logarithms of the members' distributions, `(M, n, A)`."""
        return self._in_blocks(lambda m, block: members[m][block], np.arange(len(members[0])))

    def _in_blocks(self, read, rows):
        result = np.empty((len(rows), N_AGES), np.float32)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            total = np.zeros((len(block), N_AGES), np.float32)
            for m in np.flatnonzero(self.weights):
                scores = read(m, block) / np.float32(self.temperatures[m])
                total += np.float32(self.weights[m]) * (scores if self.kind == "log" else softmax(scores))
            result[start : start + BLOCK] = self._finished(total)
        return result

    def _finished(self, total):
        if self.kind == "linear":
            return total / total.sum(1, keepdims=True)
        if self.biases is not None:
            total += np.asarray(self.biases, np.float32)[DEFAULT_AGE_GROUPS.lookup]
        return softmax(total)

    def to_json(self):
        """Plain numbers and lists."""
        return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, content):
        """The pool that `to_json` described."""
        return cls(**{key: np.array(value) if isinstance(value, list) else value for key, value in content.items()})
