"""Pretrained networks, for features and models alike.

timm_catalog.py   which networks timm has, and how they were pretrained
weights.py        their weights: from a file, read without pickle, or from the hub
onnx.py           networks in ONNX files
"""
