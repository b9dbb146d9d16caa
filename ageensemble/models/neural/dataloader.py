"""Which images make up a step of training, and reading them ahead of it."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

READ_ALL = 0.4  # share of a GPU's free memory that the images may take to be kept there


def batches_by_shape(shapes, batch):
    """Rows in batches of one shape each, every row once, list of int arrays: what prediction goes through."""
    _, kind = np.unique(shapes, axis=0, return_inverse=True)
    order = np.argsort(kind.ravel(), kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(kind.ravel()[order])) + 1)
    # Equal shares: a last batch of one image would be noise, and is more than batch normalization can take
    return [share for rows in parts if len(rows) for share in np.array_split(rows, -(-len(rows) // batch))]


def epoch_steps(shapes, batch, seed):
    """The steps of an epoch in random order, every image once.

    Parameters
    ----------
    shapes : (n, 2) int array
        height and width of each image
    batch : int
        images a step
    seed : sequence of int

    Returns
    -------
    list of list of int array
        for each step the rows of its batches, one shape each: a single one where all images are of one shape
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(shapes))
    parts = [order[rows] for rows in batches_by_shape(shapes[order], batch)]
    parts = [parts[i] for i in rng.permutation(len(parts))]
    steps, shared = [[rows] for rows in parts if 2 * len(rows) >= batch], []
    # Rarer shapes share a step: their gradients add up to those of a batch
    for rows in (rows for rows in parts if 2 * len(rows) < batch):
        if sum(map(len, shared)) + len(rows) > batch:
            steps.append(shared)
            shared = []
        shared.append(rows)
    if shared:
        steps.append(shared)
    return [steps[i] for i in rng.permutation(len(steps))]


class BatchReader:
    """Batches on the device, each read while the one before is worked on.

    Parameters
    ----------
    images : ImageArray
    labels : list of (n,) array
        what goes along with each image
    device : str
    keep_on_device : bool
        copy all images to a GPU at once, and keep them there, if it has the room: for those read again and again

    Attributes
    ----------
    waited : float
        seconds that the training waited for data so far
    """

    def __init__(self, images, labels, device, *, keep_on_device):
        self.images, self.device, self.waited = images, device, 0.0
        self.labels = [torch.as_tensor(values, device=device) for values in labels]
        self.pool = ThreadPoolExecutor(1)
        self.resident = self._resident() if keep_on_device else None

    def _resident(self):
        same = len(self.images) and (self.images.shapes == self.images.shapes[0]).all()
        if self.device == "cpu" or not same:
            return None
        size = len(self.images) * int(self.images.shapes[0].prod()) * 3
        if size > READ_ALL * torch.cuda.mem_get_info()[0]:
            return None
        height, width = self.images.shapes[0]
        try:
            kept = torch.empty((len(self.images), height, width, 3), dtype=torch.uint8, device=self.device)
        except torch.OutOfMemoryError:  # another process was faster
            return None
        for start in range(0, len(self.images), 1024):
            rows = np.arange(start, min(start + 1024, len(self.images)))
            kept[start : start + len(rows)] = torch.from_numpy(self.images[rows])
        return kept

    def _pinned(self, array):
        """As a tensor, on its way to a GPU in memory that the copying need not be waited for."""
        tensor = torch.from_numpy(array)
        return tensor.pin_memory() if self.device != "cpu" else tensor

    def _read(self, rows):
        return self._pinned(self.images[rows])

    def __call__(self, steps):
        """For each step its batches: images `(m, 3, h, w)` uint8 and their labels, `(m,)` each, on the device."""
        if self.resident is None:
            ahead = (self.pool.submit(self._read, rows) for step in steps for rows in step)
            coming = next(ahead, None)
        for step in steps:
            batches = []
            for rows in step:
                index = self._pinned(rows).to(self.device, non_blocking=True)
                if self.resident is None:
                    started = time.perf_counter()
                    batch = coming.result().to(self.device, non_blocking=True)
                    self.waited += time.perf_counter() - started
                    coming = next(ahead, None)
                else:
                    batch = self.resident[index]
                batches.append((batch.permute(0, 3, 1, 2), *(values[index] for values in self.labels)))
            yield batches

    def close(self):
        """Let go of the thread."""
        self.pool.shutdown(cancel_futures=True)
