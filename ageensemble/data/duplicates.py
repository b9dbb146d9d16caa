"""Which images must stay together in a split: the same file or pixels, near-duplicates, one moment or subject."""

from itertools import combinations, count

import numpy as np

NEAR = 12  # bits of the 256-bit difference hash in which two pictures of the same face crop may differ
BITS = 256


def near_pairs(hashes, distance=NEAR):
    """All pairs of different hashes at a Hamming distance of at most `distance`, exactly, without comparing all pairs.

    Two hashes that differ in at most `distance` bits agree in at least two of `distance + 2` bands of bits, so only
    hashes that share a pair of bands are compared (multi-index hashing: Norouzi, Punjani & Fleet 2014). The bits are
    shuffled into the bands, since neighboring bits of a face are alike and would make some bands nearly constant.
    Where hashes are so alike that this would compare more than all pairs, all pairs are compared.

    Parameters
    ----------
    hashes : (n, 32) uint8 array
        distinct rows
    distance : int, bits

    Returns
    -------
    (m, 2) int array
        row numbers
    """
    if len(hashes) < 2:
        return np.empty((0, 2), int)
    words = np.ascontiguousarray(hashes).view(np.uint64)
    bits = np.unpackbits(hashes, axis=1)
    bands = np.array_split(np.random.default_rng(0).permutation(BITS), distance + 2)
    keys = [bits[:, band] @ (1 << np.arange(len(band))) for band in bands]
    found, left = [], len(hashes) ** 2 // 2
    for one, other in combinations(keys, 2):
        key = one << 32 | other
        order = np.argsort(key, kind="stable")
        key = key[order]
        run = np.diff(np.flatnonzero(np.r_[True, key[1:] != key[:-1], True]))
        left -= int((run * (run - 1)).sum()) // 2
        if left < 0:
            return _by_comparing_all(words, distance)
        first = np.arange(len(key) - 1)
        for step in count(1):  # neighbors in the sorted order, one further each round, while the bands are still equal
            first = first[first + step < len(key)]
            first = first[key[first] == key[first + step]]
            if not len(first):
                break
            a, b = order[first], order[first + step]
            near = np.bitwise_count(words[a] ^ words[b]).sum(1) <= distance
            found.append(np.stack([a[near], b[near]], 1))
    pairs = np.sort(np.concatenate(found), axis=1) if found else np.empty((0, 2), int)
    return np.unique(pairs, axis=0)


def _by_comparing_all(words, distance):
    found = []
    for start in range(0, len(words), 256):
        block = words[start : start + 256]
        apart = sum(np.bitwise_count(block[:, None, i] ^ words[None, start:, i]).astype(np.int16) for i in range(4))
        found.append(np.argwhere(np.triu(apart <= distance, 1)) + start)
    return np.concatenate(found)


def link_equal(values):
    """Links between rows that share a value, each to the next: `(m, 2)` row numbers; None and NaN share with nobody."""
    import pandas as pd

    codes = pd.factorize(np.asarray(values, dtype=object), use_na_sentinel=True)[0]
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    same = (codes[1:] == codes[:-1]) & (codes[1:] >= 0)
    return np.stack([order[:-1][same], order[1:][same]], 1)


def near_duplicate_links(dhash):
    """Links between rows with equal or nearly equal difference hashes, `(m, 2)`."""
    distinct, inverse = np.unique(dhash, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    holder = np.full(len(distinct), -1)
    holder[inverse[::-1]] = np.arange(len(dhash))[::-1]
    return np.concatenate([link_equal(inverse), holder[near_pairs(distinct)]])


def connected_components(n, links):
    """Groups of rows joined by links: for each row the first row of its group, `(n,)` int."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(links), bool)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return first[inverse]
