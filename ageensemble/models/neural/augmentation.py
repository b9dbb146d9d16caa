"""Images changed at random so that a network cannot learn them by heart: a whole batch at once, on its device.

Each image gets a change of its own; the transforms of torchvision give one and the same to a whole batch.
"""

import math

import torch
from torch.nn.functional import affine_grid, grid_sample

LUMA = (0.299, 0.587, 0.114)  # luminance, ITU-R BT.601
ERASED = (0.02, 0.2)  # least and largest share of an image that is erased


def augmented(batch, random, *, flip, rotate, crop, color, erase):
    """Images, each changed at random.

    Parameters
    ----------
    batch : torch.Tensor of float32, (n, 3, h, w)
        pixel values between 0 and 1; may be overwritten
    random : torch.Generator
        on the device of `batch`
    flip : bool
        mirror every second image
    rotate : float
        degrees, at most, to either side
    crop : float
        share of the side by which the frame is smaller or larger at most, and moved by at most half of it
    color : float
        strength, at most, of changes of brightness, contrast and saturation, as a share
    erase : float
        share of images of which a rectangle is made gray (Zhong et al. 2020, AAAI)

    Returns
    -------
    torch.Tensor of float32, (n, 3, h, w), channels last in memory
    """

    def uniform(reach, *shape):
        return (2 * torch.rand(len(batch), *shape, generator=random, device=batch.device) - 1) * reach

    if flip or rotate or crop:
        batch = _moved(batch, uniform(1.0) if flip else None, uniform(rotate), uniform(crop), uniform(crop, 2))
    if color:
        batch = _tinted(batch, uniform(color, 1, 1, 1), uniform(color, 1, 1, 1), uniform(color, 1, 1, 1))
    if erase:
        _erase(batch, erase, random)
    return batch.contiguous(memory_format=torch.channels_last)


def _moved(batch, side, degrees, zoom, shift):
    """Flip, rotation, scale and translation in one resampling; what comes from outside is the mirrored border."""
    height, width = batch.shape[2:]
    angle, scale = degrees * (math.pi / 180), 1 + zoom
    sign = torch.ones_like(scale) if side is None else torch.where(side < 0, -1.0, 1.0)
    sine, cosine, aspect = angle.sin() * scale, angle.cos() * scale, height / width
    rows = [sign * cosine, -sine * aspect, shift[:, 0], sign * sine / aspect, cosine, shift[:, 1]]
    grid = affine_grid(torch.stack(rows, 1).view(-1, 2, 3), batch.shape, align_corners=False)
    return grid_sample(batch, grid, padding_mode="reflection", align_corners=False)


def _tinted(batch, brightness, contrast, saturation):
    """Brightness, contrast about each image's own mean, saturation about its own grays."""
    gray = sum(weight * batch[:, channel : channel + 1] for channel, weight in enumerate(LUMA))
    batch = torch.lerp(gray, batch, 1 + saturation)
    batch = batch.mul_(1 + contrast).sub_(contrast * gray.mean((2, 3), keepdim=True))
    return batch.mul_(1 + brightness)


def _erase(batch, share, random):
    n, _, height, width = batch.shape
    draw = torch.rand(5, n, 1, 1, 1, generator=random, device=batch.device)
    area = ERASED[0] + (ERASED[1] - ERASED[0]) * draw[0]
    tall = area.sqrt() * (0.5 + draw[1])  # sides between 1:2 and 3:2 of a square of that area
    wide = area / tall
    top, left = draw[2] * (1 - tall), draw[3] * (1 - wide)
    y = (torch.arange(height, device=batch.device)[:, None] + 0.5) / height
    x = (torch.arange(width, device=batch.device) + 0.5) / width
    inside = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide) & (draw[4] < share)
    batch.masked_fill_(inside, 0.5)
