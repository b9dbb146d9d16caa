"""A whole network: a backbone that turns images into numbers, a head of connected layers, a loss."""

import torch
from torch import nn


class Network(nn.Module):
    """Backbone, head and loss.

    Parameters
    ----------
    backbone : torch.nn.Module
        (n, 3, h, w) to (n, width)
    width : int
    loss : torch.nn.Module
        of `losses`; says how many outputs there are
    hidden : sequence of int
        connected layers with ReLU between backbone and outputs, their widths
    dropout : float
        before each connected layer
    mean, std : tuple of float
        of pixel values between 0 and 1, one or three
    bf16 : bool
        run the backbone in bfloat16 where that is safe (autocast)
    """

    def __init__(self, backbone, width, loss, *, hidden, dropout, mean, std, bf16):
        super().__init__()
        layers = []
        for before, after in zip([width, *hidden], hidden, strict=False):
            layers += [nn.Dropout(dropout), nn.Linear(before, after), nn.ReLU()]
        widths = [width, *hidden]
        layers += [nn.Dropout(dropout), nn.Linear(widths[-1], loss.outputs)]
        nn.init.zeros_(layers[-1].bias)
        self.backbone, self.head, self.loss, self.bf16 = backbone, nn.Sequential(*layers), loss, bf16
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).expand(3).clone())
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).expand(3).clone())

    def prepared(self, batch, change=lambda batch: batch):
        """Images `(n, 3, h, w)` uint8 as float32 the way the backbone wants them, channels last in memory.

        `change` is applied to pixel values between 0 and 1, so that it does not depend on the normalization.
        """
        batch = change(batch.to(torch.float32, memory_format=torch.channels_last).div_(255))
        return batch.sub(self.mean[:, None, None]).div_(self.std[:, None, None])

    def forward(self, batch):
        """Outputs `(n, outputs)` float32 of prepared images."""
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=self.bf16):
            features = self.backbone(batch)
        return self.head(features.float())
