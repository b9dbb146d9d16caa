"""Training networks: what every network of `models/` shares, torch all through.

    network.py      backbone, head and loss put together
    losses.py       what the network puts out, what it is punished for, how that becomes an age distribution
    augment.py      photographs turned, cropped, tinted at random, whole batches on the device
    batches.py      which photographs make up a step, read ahead of it
    recipe.py       optimizers, learning rates, weight decay, freezing, the running average of the weights
    loop.py         epochs over steps: the loop itself, and prediction
    steps.py        one step, in smaller batches where memory runs out
    checkpoint.py   what a killed training needs to go on as if nothing had happened
    precision.py    whether bfloat16 pays on this machine, for this network

Adding a loss or an option touches one of these files.
"""
