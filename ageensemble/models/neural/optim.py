"""How weights change: optimizers, learning rates, weight decay, freezing, the moving average of the weights."""

import math
from fnmatch import fnmatch

import torch

STEP_FALL, STEP_TIMES = 0.1, (0.5, 0.75)  # the `step` schedule: a tenth after half and three quarters of all steps


def make_optimizer(net, config):
    """SGD with momentum, Adam or AdamW; a learning rate of its own for the backbone; decay as `decayed_weights` says.

    Parameters
    ----------
    net : torch.nn.Module
        with the parts `backbone` and whatever else, which is the head
    config : TrainingConfig

    Returns
    -------
    torch.optim.Optimizer
        each group with its share of the learning rate as "share"
    """
    groups, decayed = {}, decayed_weights(net)
    for name, parameter in net.named_parameters():
        share = config.backbone_lr if name.startswith("backbone.") else 1.0
        decay = config.weight_decay if name in decayed else 0.0
        groups.setdefault((share, decay), []).append(parameter)
    listed = [{"params": p, "share": share, "weight_decay": decay} for (share, decay), p in groups.items()]
    if config.optimizer == "sgd":
        return torch.optim.SGD(listed, config.lr, momentum=config.momentum, nesterov=config.momentum > 0)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
    return kind(listed, config.lr)


def decayed_weights(net):
    """Names of the weights that are pulled to zero: not biases and norms, nor what the backbone itself exempts.

    Transformers of timm exempt their position embeddings and class tokens by `no_weight_decay()`, names or patterns.
    """
    own = getattr(net.backbone, "no_weight_decay", set)()
    exempt = ["*.bias", *(f"backbone.{pattern}" for pattern in own)]
    weights = [name for name, parameter in net.named_parameters() if parameter.ndim > 1]
    return {name for name in weights if not any(fnmatch(name, pattern) for pattern in exempt)}


def lr_share(step, steps, config):
    """Share of `lr` at a step: a linear warm-up, then a cosine to 0, two falls, or no change.

    Loshchilov & Hutter 2017, ICLR (cosine); Goyal et al. 2017, arXiv:1706.02677 (warm-up).
    """
    warm = config.warmup * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    if config.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
    if config.schedule == "step":
        return STEP_FALL ** sum(step >= time * steps for time in STEP_TIMES)
    return 1.0


def set_lr(optimizer, lr):
    """Set the learning rate of all groups of parameters."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["share"]


def add_l1(net, strength):
    """Add the slope of an L1 penalty on the weights that `decayed_weights` names to the gradients."""
    decayed = decayed_weights(net)
    for name, parameter in net.named_parameters():
        if name in decayed and parameter.grad is not None:
            parameter.grad.add_(parameter.detach().sign(), alpha=strength)


def freeze_backbone(net, frozen):
    """Hold the backbone still, the statistics of its norms included, or let it learn; call after `net.train()`."""
    net.backbone.requires_grad_(not frozen)
    if frozen:
        net.backbone.eval()


class EMA:
    """Moving average of all weights and statistics: what predicts in the end (Polyak & Juditsky 1992, SIAM J. Contr.).

    Parameters
    ----------
    net : torch.nn.Module
    decay : float
        at each step; it starts smaller, so that the first steps are forgotten; 0 keeps the last weights alone
    """

    def __init__(self, net, decay):
        self.decay, self.net = decay, net
        self.state = {name: value.clone() for name, value in net.state_dict().items()} if decay else net.state_dict()

    def load_state(self, state):
        """Continue from the average of a checkpoint."""
        if self.decay:
            self.state = state

    def update(self, step):
        """Take the weights after step number `step` into the average."""
        if not self.decay:
            return
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        ours, theirs = [], []
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                ours.append(self.state[name])
                theirs.append(value)
            else:
                self.state[name].copy_(value)
        torch._foreach_lerp_(ours, theirs, share)
