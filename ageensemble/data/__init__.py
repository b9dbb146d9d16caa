"""Images and labels: reading, decoding, filtering and checking them."""
