"""Pretrained networks of timm, for features and models alike.

    networks.py   which there are, and what timm says of their pretraining
    loading.py    their weights: from a file, read without pickle, or from the hub

Whatever imports them is other code when they are edited: see `registry.source`.
"""
