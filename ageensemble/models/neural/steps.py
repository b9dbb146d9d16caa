"""One step of training: gradients of its batches added up, in smaller pieces where memory runs out."""

import torch
from torch.nn.utils import clip_grad_norm_

from ...errors import DataError
from .augmentation import augmented
from .optim import add_l1

WORDS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")  # of torch and its libraries


def out_of_memory(error):
    """Whether an exception says that memory ran out, on whatever device."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(word in str(error) for word in WORDS)


def halved(size, shape):
    """Half a batch size, or an error where no photograph fits."""
    if size == 1:
        height, width = shape
        raise DataError(f"memory runs out with one photograph of {width}x{height} pixels at a time; a smaller size= or "
                        "network is needed")  # fmt: skip
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return size // 2


class Stepper:
    """Takes steps, with at most `most` photographs through the network at a time.

    Parameters
    ----------
    net : Network
    made : torch.optim.Optimizer
    r : object
        with the attributes flip, rotate, crop, color, erase, clip, l1
    most : int
        halved whenever memory runs out
    """

    def __init__(self, net, made, r, most):
        self.net, self.made, self.r, self.most = net, made, r, most
        self.change = {name: getattr(r, name) for name in ("flip", "rotate", "crop", "color", "erase")}

    def __call__(self, batches, random):
        """Take one step.

        Parameters
        ----------
        batches : list of tuple
            photographs `(m, 3, h, w)` uint8, low, high `(m,)` int64 and weight `(m,)` float32
        random : torch.Generator

        Returns
        -------
        torch.Tensor, torch.Tensor
            losses and predicted years of the photographs, `(n,)` each
        """
        while True:
            before = random.get_state()
            try:
                result = self._gradients(batches, random)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            else:
                break
            # Out here, since inside the exception still holds everything that the failed step had put on the device
            largest = max((batch[0] for batch in batches), key=len)
            self.made.zero_grad()
            self.most = halved(min(self.most, len(largest)), largest.shape[2:])
            random.set_state(before)
        if self.r.l1:
            add_l1(self.net, self.r.l1)
        if self.r.clip:
            clip_grad_norm_(self.net.parameters(), self.r.clip)
        self.made.step()
        self.made.zero_grad()
        return result

    def _gradients(self, batches, random):
        n = sum(len(batch[0]) for batch in batches)
        losses, years = [], []
        for batch in batches:
            pieces = -(-len(batch[0]) // self.most)  # equal ones, see `by_shape`
            for photos, low, high, weight in zip(*(part.tensor_split(pieces) for part in batch), strict=True):
                output = self.net(self.net.prepared(photos, lambda batch: augmented(batch, random, **self.change)))
                loss = self.net.loss(output, low, high)
                ((loss * weight).sum() / n).backward()
                losses.append(loss.detach())
                with torch.no_grad():
                    years.append(self.net.loss.years(output))
        return torch.cat(losses), torch.cat(years)
