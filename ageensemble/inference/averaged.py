"""Cells of a network as one module, from pixels to age distributions, which PyTorch can write down as a graph."""

import torch
from torch import nn

from ..ages import FLOOR_MIX


class Averaged(nn.Module):
    """The mean of what cells say, each finished as `ages.finish` does.

    Parameters
    ----------
    fold_models : list of (NeuralAgeEstimator, (A,) array)
        fitted networks, and the histograms of their training ages; the networks are set to float32 and to predict
    """

    def __init__(self, fold_models):
        super().__init__()
        self.nets = nn.ModuleList(model.net_ for model, _ in fold_models)
        self.mirror = [bool(model.mirror) for model, _ in fold_models]
        self.register_buffer("priors", torch.tensor([list(prior) for _, prior in fold_models], dtype=torch.float32))
        for net in self.nets:
            net.bf16 = False
            for layer in net.modules():
                if getattr(layer, "inplace", False):  # which PyTorch takes four times as long to write down
                    layer.inplace = False
        self.eval()

    def forward(self, faces):
        """Distributions `(n, A)` float32 of faces `(n, h, w, 3)` uint8."""
        rows = [
            self._finished(self._output(net, faces, mirror), net.loss, prior)
            for net, mirror, prior in zip(self.nets, self.mirror, self.priors, strict=True)
        ]
        return torch.stack(rows).mean(0)

    @staticmethod
    def _output(net, faces, mirror):
        prepared = net.prepared(faces.permute(0, 3, 1, 2))
        return (net(prepared) + net(prepared.flip(3))) / 2 if mirror else net(prepared)

    @staticmethod
    def _finished(output, loss, prior):
        mass = loss.distribution(output).clamp(min=0)
        return (1 - FLOOR_MIX) * mass / mass.sum(1, keepdim=True) + FLOOR_MIX * prior
