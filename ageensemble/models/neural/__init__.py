"""Networks: what trains and runs them, torch all through; loaded only where a network is used.

    estimator.py     NeuralAgeEstimator, what all networks share as models
    cnn.py, timm.py  the models themselves
    trainer.py       epochs over steps, smaller batches where memory runs out, prediction
    network.py       backbone, head and loss put together
    losses.py        what is minimized, and how outputs become age distributions
    augmentation.py  random changes of whole batches on the device
    dataloader.py    which images make up a step, read ahead of it
    optim.py         optimizers, learning rates, weight decay, freezing, moving average of the weights
    checkpoint.py    what an interrupted training needs to go on as if nothing had happened
    precision.py     whether bfloat16 is faster on this machine, for this network
    memory.py        memory that a training needs

A loss is one class in losses.py, or in a file of one's own: `loss=./mine.py`.
"""
