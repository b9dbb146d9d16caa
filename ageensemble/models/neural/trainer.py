"""The training loop: epochs over steps, scores on the validation part after each, the best or last weights kept."""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_

from ...ages import DEFAULT_AGE_GROUPS, MAX_AGE
from ...errors import DataError
from . import checkpoint, dataloader, memory, optim
from .augmentation import augmented

PROGRESS_SECONDS = 0.5  # between reports of progress, at least
BETTER = {"mae": min, "f1": max, "recall": max}
MEMORY_ERRORS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")  # of torch's libraries


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a network is trained: the parameters of `NeuralAgeEstimator` that go by the same names, seed and device."""

    epochs: int
    batch: int
    accumulate: int
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    l1: float
    clip: float
    schedule: str
    warmup: float
    freeze: int
    backbone_lr: float
    ema: float
    flip: bool
    rotate: float
    crop: float
    color: float
    erase: float
    mirror: bool
    patience: int
    metric: str
    seed: int
    device: str

    @property
    def augmentation(self) -> dict:
        """Keyword parameters of `augmented`."""
        return {name: getattr(self, name) for name in ("flip", "rotate", "crop", "color", "erase")}


class Trainer:
    """Trains a network, which ends with the weights that predict.

    On a processor the same seed gives the same weights to the last digit, whether the training is interrupted or not;
    on a GPU nearly the same, since not all of its kernels add up in a fixed order, and none is promised to.

    Parameters
    ----------
    net : Network
        on the device
    config : TrainingConfig
    checkpoint_dir : pathlib.Path
        an interrupted training with the same one goes on from there
    on_progress : callable
        called with a dict of numbers now and then

    Attributes
    ----------
    history : list of dict
        one row an epoch
    max_batch : int
        images through the network at a time: `batch`, halved whenever memory runs out
    """

    def __init__(self, net, config, *, checkpoint_dir, on_progress=lambda progress: None):
        self.net, self.config, self.checkpoint_dir, self.on_progress = net, config, checkpoint_dir, on_progress
        self.optimizer, self.ema = optim.make_optimizer(net, config), optim.EMA(net, config.ema)
        self.max_batch, self.history, self._best_weights, self._trouble = config.batch, [], {}, ""

    def fit(self, images, y, weight, validation):
        """Train on the items that are not in the validation part.

        Parameters
        ----------
        images : ImageArray
        y : (n, 2) int array, years
        weight : (n,) float array
            of each item's loss, 1 on average
        validation : (n,) bool array
            items that are not trained on: for the history, early stopping and residuals

        Returns
        -------
        dict
            what the record of the run should note

        Raises
        ------
        DataError
            The loss is no number any more, or memory does not suffice for one image.
        """
        config = self.config
        memory.keep_freed_memory()
        torch.backends.cudnn.deterministic = True  # the same again where the GPU's library can
        training, rows = np.flatnonzero(~validation), np.flatnonzero(validation)
        held_out = images.take(rows), *_labels(y, weight, rows)[:2]
        first = self._resume()
        reader = dataloader.BatchReader(
            images.take(training), _labels(y, weight, training), config.device, keep_on_device=True
        )
        try:
            for epoch in range(first, config.epochs):
                if config.patience and self.history and epoch - 1 - self._best_epoch() >= config.patience:
                    break
                torch.manual_seed(config.seed + 7919 * (epoch + 1))  # dropout: the same from here on, resumed or not
                started = time.perf_counter()
                row = {"epoch": epoch + 1, **self._epoch(reader, epoch), **self._validate(*held_out)}
                self.history.append(row | {"seconds": round(time.perf_counter() - started, 3)})
                if config.patience and self._best_epoch() == epoch:
                    self._best_weights = {name: value.clone() for name, value in self.ema.state.items()}
                self._save(epoch + 1)
        finally:
            reader.close()
        self.net.load_state_dict(self._best_weights if config.patience else self.ema.state)
        return self._notes()

    def _resume(self):
        """Go on from the checkpoint, if there is one; epochs that are done."""
        (done, tensors, facts), self._trouble = checkpoint.load(self.checkpoint_dir, self.config.device)
        if done:
            self.net.load_state_dict(tensors["net"])
            checkpoint.load_optimizer_state(self.optimizer, tensors.get("optimizer", {}))
            self.ema.load_state(tensors.get("average"))
            self.history, self._best_weights = facts["history"], tensors.get("best", {})
            self.max_batch = facts["most"]
        return done

    def _save(self, epochs):
        tensors = {"net": self.net.state_dict(), "optimizer": checkpoint.optimizer_state(self.optimizer)}
        tensors |= {"best": self._best_weights} | ({"average": self.ema.state} if self.config.ema else {})
        checkpoint.save(self.checkpoint_dir, epochs, tensors, {"history": self.history, "most": self.max_batch})

    def _best_epoch(self):
        """Number of the best epoch so far, the first of equals."""
        values = [row[f"validation_{self.config.metric}"] for row in self.history]
        return values.index(BETTER[self.config.metric](values))

    def _notes(self):
        notes, batch = {}, self.config.batch
        if self.config.patience:
            notes = {"epochs": len(self.history), "best_epoch": self._best_epoch() + 1}
        if self.max_batch < batch:
            notes["batch"] = f"halved to {self.max_batch} at a time for want of memory; steps still have {batch}"
        return notes | ({"checkpoint": self._trouble} if self._trouble else {})

    def _epoch(self, reader, epoch):
        """Train for one epoch; its numbers for the history."""
        config, seed = self.config, [self.config.seed, epoch]
        self.net.train()
        optim.freeze_backbone(self.net, epoch < config.freeze)
        random = torch.Generator(config.device).manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        steps = dataloader.epoch_steps(reader.images.shapes, config.batch * config.accumulate, seed)
        n, total = len(reader.images), config.epochs * len(reader.images)
        started, reported, waited, seen = time.perf_counter(), 0.0, reader.waited, 0
        losses, years, order = [], [], np.concatenate([rows for step in steps for rows in step])
        for number, batches in enumerate(reader(steps)):
            share = optim.lr_share(epoch * n + seen, total, config)  # in images: shapes make steps differ
            optim.set_lr(self.optimizer, share * config.lr)
            for kept, part in zip((losses, years), self._step(batches, random), strict=True):
                kept.append(part)
            self.ema.update(epoch * len(steps) + number)
            seen += len(losses[-1])
            if time.perf_counter() - reported > PROGRESS_SECONDS:
                reported = time.perf_counter()
                lately = self._mean_loss(losses[-20:], epoch)
                self._report(epoch, epoch * n + seen, total, seen / (reported - started), lately)
        took = time.perf_counter() - started
        loss = self._mean_loss(losses, epoch)
        measured = scores(torch.cat(years).cpu().numpy(), *(part[order].cpu().numpy() for part in reader.labels[:2]))
        return {
            "seconds": None,
            "images_per_second": round(n / took, 1),
            "waiting": round((reader.waited - waited) / took, 5),
            "lr": config.lr * share,
            "loss": loss,
            **{name: measured[name] for name in ("mae", "precision", "recall")},
        }

    def _report(self, epoch, done, total, speed, loss):
        inner = self.history[-1]["validation_mae"] if self.history else None
        self.on_progress({"done": done, "total": total, "epoch": epoch + 1, "epochs": self.config.epochs,
                          "images_per_second": speed, "loss": loss, "validation_mae": inner})  # fmt: skip

    def _mean_loss(self, losses, epoch):
        """Mean of losses as a number, or an error that says what may help."""
        loss = float(torch.cat(losses).mean())
        if not math.isfinite(loss):
            raise DataError(
                f"the loss is not a number any more in epoch {epoch + 1}; a smaller lr (now {self.config.lr:g}), "
                "clip=1 or precision=fp32 may help"
            )
        return loss

    def _validate(self, images, low, high):
        """Scores of the averaged weights on the validation part; None where there is none."""
        names = ("loss", "mae", "precision", "recall", "f1")
        if not len(images):
            return dict.fromkeys(f"validation_{name}" for name in names)
        live = {name: value.clone() for name, value in self.net.state_dict().items()}
        self.net.load_state_dict(self.ema.state)
        device = self.config.device
        output = outputs(self.net, images, mirror=self.config.mirror, batch=self.max_batch, device=device)
        with torch.inference_mode():
            labels = (torch.from_numpy(values).to(device) for values in (low, high))
            loss = self.net.loss(output, *labels).mean().item()
            measured = scores(self.net.loss.years(output).cpu().numpy(), low, high) | {"loss": loss}
        self.net.load_state_dict(live)
        return {f"validation_{name}": measured[name] for name in names}

    def _step(self, batches, random):
        """Take one step; losses and predicted years of its images, `(n,)` each."""
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
            self.optimizer.zero_grad()
            self.max_batch = _halved(min(self.max_batch, len(largest)), largest.shape[2:])
            random.set_state(before)
        if self.config.l1:
            optim.add_l1(self.net, self.config.l1)
        if self.config.clip:
            clip_grad_norm_(self.net.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return result

    def _gradients(self, batches, random):
        """Add up the gradients of batches, each in pieces of at most `max_batch` images."""
        n = sum(len(batch[0]) for batch in batches)
        augment, losses, years = self.config.augmentation, [], []
        for batch in batches:
            pieces = -(-len(batch[0]) // self.max_batch)  # equal ones, see `batches_by_shape`
            for images, low, high, weight in zip(*(part.tensor_split(pieces) for part in batch), strict=True):
                output = self.net(self.net.prepared(images, lambda batch: augmented(batch, random, **augment)))
                loss = self.net.loss(output, low, high)
                ((loss * weight).sum() / n).backward()
                losses.append(loss.detach())
                with torch.no_grad():
                    years.append(self.net.loss.years(output))
        return torch.cat(losses), torch.cat(years)


def _labels(y, weight, rows):
    low, high = y[rows].T.astype(np.int64)
    return low, high, weight[rows].astype(np.float32)


def scores(years, low, high):
    """Mean absolute error in years (to the nearest age that the label allows), and by groups of age: precision,
    recall and F1, weighted by support."""
    from sklearn.metrics import precision_recall_fscore_support

    error = np.abs(years - np.clip(years, low, high)).mean()
    group = DEFAULT_AGE_GROUPS.lookup[np.clip(np.rint(years), 0, MAX_AGE).astype(int)]
    by_group = precision_recall_fscore_support(
        DEFAULT_AGE_GROUPS.lookup[low], group, average="weighted", zero_division=0
    )
    return {"mae": float(error)} | dict(zip(("precision", "recall", "f1"), map(float, by_group[:3]), strict=True))


def outputs(net, images, *, mirror, batch, device):
    """Outputs of a network, `(n, outputs)` float32 on its device, the mean with those of the mirror images if asked."""
    net.eval()
    result = torch.empty(len(images), net.loss.outputs, device=device)
    reader = dataloader.BatchReader(images, [np.arange(len(images))], device, keep_on_device=False)
    try:
        with torch.inference_mode():
            for [(part, rows)] in reader([[rows] for rows in dataloader.batches_by_shape(images.shapes, 2 * batch)]):
                result[rows] = _output(net, part, mirror)
    finally:
        reader.close()
    return result


def _output(net, images, mirror):
    try:
        prepared = net.prepared(images)
        return (net(prepared) + net(prepared.flip(3))) / 2 if mirror else net(prepared)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    half = _halved(len(images), images.shape[2:])
    return torch.cat([_output(net, part, mirror) for part in images.split(half)])


def out_of_memory(error):
    """Whether an exception says that memory ran out, on whatever device."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(word in str(error) for word in MEMORY_ERRORS)


def _halved(size, shape):
    """Half a batch size, or an error where no image fits."""
    if size == 1:
        height, width = shape
        raise DataError(f"memory runs out with one image of {width}x{height} pixels at a time; a smaller size= or "
                        "network is needed")  # fmt: skip
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return size // 2
