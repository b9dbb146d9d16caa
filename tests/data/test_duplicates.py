"""Near-duplicates found exactly, links and groups."""

import resource
import time

import numpy as np
import pytest

from ageensemble.data.duplicates import NEAR, connected_components, link_equal, near_duplicate_links, near_pairs


def packed(bits):
    return np.packbits(np.unique(bits, axis=0), axis=1)


def by_comparing_all(hashes, distance):
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None]).sum(2, dtype=int)
    return np.argwhere(np.triu(apart <= distance, 1))


def by_comparing_one(hashes, count):
    for i in range(count):
        apart = np.bitwise_count(hashes[i] ^ hashes[i + 1 :]).sum(1, dtype=int)
        yield from ([i, i + 1 + j] for j in np.flatnonzero(apart <= NEAR))


def flipped(rng, bits, most):
    """Each row with some of its bits turned, 0 to `most` of them."""
    order = rng.random(bits.shape).argsort(1)
    return bits ^ (order < rng.integers(0, most + 1, (len(bits), 1)))


@pytest.mark.parametrize("share", [0.5, 0.2, 0.03])
@pytest.mark.parametrize("distance", [0, 1, NEAR, 20])
def test_near_pairs_are_exactly_those_found_by_comparing_all(share, distance):
    rng = np.random.default_rng(int(100 * share) + distance)
    column = rng.random(256) < share  # some bits are nearly constant over all photographs, as in face crops
    for _ in range(3):
        bits = (rng.random((150, 256)) < np.where(column, 0.5, share)).astype(np.uint8)
        hashes = packed(np.concatenate([bits, flipped(rng, bits, 20), flipped(rng, bits[:40], 14)]))
        assert np.array_equal(near_pairs(hashes, distance), by_comparing_all(hashes, distance))


def test_thousands_of_nearly_blank_photographs_take_no_longer_than_comparing_all():
    hashes = packed((np.random.default_rng(0).random((3000, 256)) < 0.03).astype(np.uint8))
    started = time.perf_counter()
    pairs = near_pairs(hashes)
    assert time.perf_counter() - started < 5
    assert np.array_equal(pairs[pairs[:, 0] < 50], list(by_comparing_one(hashes, 50)))


def test_a_pair_at_the_distance_is_near_and_one_bit_more_is_not():
    bits = np.zeros((3, 256), np.uint8)
    bits[1, :NEAR] = 1
    bits[2, 100 : 101 + NEAR] = 1
    assert near_pairs(np.packbits(bits, axis=1)).tolist() == [[0, 1]]


@pytest.mark.parametrize("n", [0, 1])
def test_no_or_one_hash_has_no_pair(n):
    assert near_pairs(np.zeros((n, 32), np.uint8)).shape == (0, 2)
    assert near_duplicate_links(np.zeros((n, 32), np.uint8)).shape == (0, 2)


def test_equal_values_are_chained_and_missing_ones_are_not():
    assert link_equal(["a", None, "b", "a", np.nan, "b", "a", None]).tolist() == [[0, 3], [3, 6], [2, 5]]


def test_equal_and_nearly_equal_hashes_are_linked():
    bits = np.zeros((5, 256), np.uint8)
    bits[[1, 3], 0] = 1
    bits[4] = 1
    label = connected_components(5, near_duplicate_links(np.packbits(bits, axis=1)))
    assert label.tolist() == [0, 0, 0, 0, 4]


def test_links_join_through_others_and_a_cluster_is_named_by_its_first_row():
    assert connected_components(6, np.array([[4, 3], [3, 1], [5, 5]])).tolist() == [0, 1, 2, 1, 1, 5]
    assert connected_components(3, np.empty((0, 2), int)).tolist() == [0, 1, 2]


@pytest.mark.slow
def test_near_pairs_of_a_million_hashes_take_two_minutes_and_four_gigabytes_at_most():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 256, (1_000_000, 32), dtype=np.uint8)
    hashes[500_000:500_100] = hashes[:100]
    hashes[500_000:500_100, 7] ^= 0b10011
    started = time.perf_counter()
    assert near_pairs(hashes).tolist() == [[i, 500_000 + i] for i in range(100)]
    assert time.perf_counter() - started < 120
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4_000_000  # kilobytes
