"""What left and right have in common: features that a mirror does not change."""


def mean_with_mirror(describe, batch):
    """Return the mean of the features of photographs and of their mirror images.

    Parameters
    ----------
    describe : callable
        From images (n, 3, h, w) to features (n, d).
    batch : torch.Tensor of uint8, (n, 3, h, w)

    Returns
    -------
    torch.Tensor of float32, (n, d)
    """
    return describe(batch).add_(describe(batch.flip(3))).div_(2)
