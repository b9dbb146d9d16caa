"""Photographs and labels: reading, decoding, cleaning, checking them."""
