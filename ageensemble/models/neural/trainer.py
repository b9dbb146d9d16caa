"""The training loop: epochs over steps, a look at the inner part after each, the best or the last weights kept."""

import math
import time

import numpy as np
import torch

from ...ages import DEFAULT_AGE_GROUPS, MAX_AGE
from ...errors import DataError
from . import checkpoint, dataloader, memory, optim
from .steps import Stepper, halved, out_of_memory

TELL = 0.5  # seconds between reports of progress, at least
BETTER = {"mae": min, "f1": max, "recall": max}


def train(net, x, y, weight, held, r, *, seed, device, keep, tell):
    """Train a network; it ends with the weights that predict.

    On a processor the same seed gives the same weights to the last digit, whether the training is interrupted or not;
    on a GPU nearly the same, since not all of its kernels add up in a fixed order, and none is promised to.

    Parameters
    ----------
    net : Network
        on the device
    x : Photographs
    y : (n, 2) int array, years
    weight : (n,) float array
        of each photograph's loss, 1 on average
    held : (n,) bool array
        the inner part that is not trained on: for the history, early stopping and residuals
    r : object
        with the recipe as attributes, see `models/_torch.py`
    seed : int
    device : str
    keep : pathlib.Path
        folder for checkpoints
    tell : callable
        told of progress in a dict, now and then

    Returns
    -------
    list of dict, dict
        the history, one row an epoch; what the record of the run should note

    Raises
    ------
    DataError
        The loss is no number any more, or memory does not suffice for one photograph.
    """
    memory.keep_freed()
    torch.backends.cudnn.deterministic = True  # the same again where the GPU's library can
    training, inner = np.flatnonzero(~held), np.flatnonzero(held)
    made, average = optim.optimizer(net, r), optim.Average(net, r.ema)
    stepper = Stepper(net, made, r, r.batch)
    (done, parts, facts), trouble = checkpoint.load(keep, device)
    history, best = facts.get("history", []), parts.get("best", {})
    if done:
        net.load_state_dict(parts["net"])
        checkpoint.unflat(made, parts.get("optimizer", {}))
        average.take(parts.get("average"))
        stepper.most = facts["most"]
    del parts
    reader = dataloader.Reader(x.take(training), _labels(y, weight, training), device, keep=True)
    try:
        for epoch in range(done, r.epochs):
            if _over(history, r):
                break
            torch.manual_seed(seed + 7919 * (epoch + 1))  # dropout and the like: the same from here on, resumed or not
            started = time.perf_counter()
            seen = _epoch(net, reader, stepper, average, r, epoch, [seed, epoch], device, history, tell)
            row = {"epoch": epoch + 1, **seen, **_inner(net, average, x, y, inner, r, stepper.most, device)}
            history.append(row | {"seconds": round(time.perf_counter() - started, 3)})
            if r.patience and _best(history, r) == epoch:
                best = {name: value.clone() for name, value in average.state.items()}
            parts = {"net": net.state_dict(), "optimizer": checkpoint.flat(made), "best": best}
            parts |= {"average": average.state} if r.ema else {}
            checkpoint.save(keep, epoch + 1, parts, {"history": history, "most": stepper.most})
    finally:
        reader.close()
    net.load_state_dict(best if r.patience else average.state)
    return history, _notes(history, stepper, r, trouble)


def _labels(y, weight, rows):
    low, high = y[rows].T.astype(np.int64)
    return low, high, weight[rows].astype(np.float32)


def _best(history, r):
    """Number of the best epoch so far, the first of equals."""
    values = [row[f"inner_{r.metric}"] for row in history]
    return values.index(BETTER[r.metric](values))


def _over(history, r):
    return bool(r.patience and history) and len(history) - 1 - _best(history, r) >= r.patience


def _notes(history, stepper, r, trouble):
    notes = {"epochs": len(history), "best_epoch": _best(history, r) + 1} if r.patience else {}
    if stepper.most < r.batch:
        notes["batch"] = f"halved to {stepper.most} at a time for want of memory; steps still have {r.batch}"
    return notes | ({"checkpoint": trouble} if trouble else {})


def _epoch(net, reader, stepper, average, r, epoch, seed, device, history, tell):
    """Train for one epoch; its numbers for the history."""
    net.train()
    optim.freeze(net, epoch < r.freeze)
    random = torch.Generator(device).manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
    steps = dataloader.split(reader.x.shapes, r.batch * r.accumulate, seed)
    n, first = len(reader.x), epoch * len(steps)
    started, told, waited, seen = time.perf_counter(), 0.0, reader.waited, 0
    losses, years, rows = [], [], [np.concatenate(step) for step in steps]
    for number, batch in enumerate(reader(steps)):
        share = optim.rate(epoch * n + seen, r.epochs * n, r)  # counted in photographs: shapes make steps differ
        optim.set_rate(stepper.made, share, r.lr)
        for kept, part in zip((losses, years), stepper(batch, random), strict=True):
            kept.append(part)
        average.update(first + number)
        seen += len(losses[-1])
        if time.perf_counter() - told > TELL:
            told = time.perf_counter()
            lately = _finite(torch.cat(losses[-20:]), epoch, r)
            speed = seen / (told - started)
            inner = history[-1]["inner_mae"] if history else None
            tell({"done": epoch * n + seen, "total": r.epochs * n, "epoch": epoch + 1, "epochs": r.epochs,
                  "images_per_second": speed, "loss": lately, "inner_mae": inner})  # fmt: skip
    took = time.perf_counter() - started
    loss = _finite(torch.cat(losses), epoch, r)
    order = np.concatenate(rows)
    measured = scores(torch.cat(years).cpu().numpy(), *(part[order].cpu().numpy() for part in reader.labels[:2]))
    return {
        "seconds": None,
        "images_per_second": round(n / took, 1),
        "waiting": round((reader.waited - waited) / took, 5),
        "lr": r.lr * share,
        "loss": loss,
        **{name: measured[name] for name in ("mae", "precision", "recall")},
    }


def _finite(losses, epoch, r):
    """Mean of losses as a number, or an error that says what may help."""
    loss = float(losses.mean())
    if not math.isfinite(loss):
        raise DataError(
            f"the loss is not a number any more in epoch {epoch + 1}; a smaller lr (now {r.lr:g}), clip=1 or "
            "precision=fp32 may help"
        )
    return loss


def _inner(net, average, x, y, rows, r, most, device):
    """The averaged weights scored on the inner part, for the history; None where nothing is held out."""
    names = ("loss", "mae", "precision", "recall", "f1")
    if not len(rows):
        return dict.fromkeys(f"inner_{name}" for name in names)
    live = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(average.state)
    output = outputs(net, x.take(rows), mirror=r.mirror, batch=most, device=device)
    low, high, _ = _labels(y, np.ones(len(y)), rows)
    with torch.inference_mode():
        loss = net.loss(output, torch.from_numpy(low).to(device), torch.from_numpy(high).to(device)).mean().item()
        measured = scores(net.loss.years(output).cpu().numpy(), low, high) | {"loss": loss}
    net.load_state_dict(live)
    return {f"inner_{name}": measured[name] for name in names}


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


def outputs(net, x, *, mirror, batch, device):
    """Outputs of a network, `(n, outputs)` float32 on its device, the mean with those of the mirror images if asked."""
    net.eval()
    result = torch.empty(len(x), net.loss.outputs, device=device)
    reader = dataloader.Reader(x, [np.arange(len(x))], device, keep=False)
    try:
        with torch.inference_mode():
            for [(photos, rows)] in reader([[rows] for rows in dataloader.by_shape(x.shapes, 2 * batch)]):
                result[rows] = _output(net, photos, mirror)
    finally:
        reader.close()
    return result


def _output(net, photos, mirror):
    try:
        prepared = net.prepared(photos)
        return (net(prepared) + net(prepared.flip(3))) / 2 if mirror else net(prepared)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    half = halved(len(photos), photos.shape[2:])
    return torch.cat([_output(net, part, mirror) for part in photos.split(half)])
