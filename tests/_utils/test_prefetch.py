"""Results come in order, and few are computed before they are asked for."""

import threading
from concurrent.futures import ThreadPoolExecutor

from ageensemble._utils.prefetch import ordered


def test_ordered_keeps_the_order_and_stays_few_ahead():
    started, lock = [], threading.Lock()

    def square(n):
        with lock:
            started.append(n)
        return n * n

    with ThreadPoolExecutor(2) as pool:
        results = ordered(pool, square, iter(range(100)), ahead=3)
        assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
        assert len(started) <= 5 + 3
        assert list(results) == [n * n for n in range(5, 100)]
