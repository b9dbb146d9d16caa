"""Results in order, from workers that are a few items ahead of whoever asks."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice


def ordered(pool: Executor, function: Callable, items: Iterable, ahead: int) -> Iterator:
    """Yield `function(item)` for each item, in order, computed by `pool`, at most `ahead` results early.

    Unlike `Executor.map` it takes items one by one, so that memory stays flat however many there are.

    Parameters
    ----------
    pool : concurrent.futures.Executor
    function : callable
    items : iterable
    ahead : int

    Examples
    --------
    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(ordered(pool, abs, [-1, 2, -3], ahead=2))
    [1, 2, 3]
    """
    waiting, items = deque(), iter(items)
    waiting.extend(pool.submit(function, item) for item in islice(items, ahead))
    while waiting:
        result = waiting.popleft().result()
        waiting.extend(pool.submit(function, item) for item in islice(items, 1))
        yield result


def in_batches(
    function: Callable, n: int, batch: int, n_threads: int, on_progress: Callable, initializer=None, initargs=()
) -> Iterator:
    """Yield `function(start)` for every batch of `n` items, in order, computed by threads a few batches ahead.

    `on_progress` is called with (done, total) items after each.
    """
    pool, done = ThreadPoolExecutor(n_threads, initializer=initializer, initargs=initargs), 0
    try:
        for values in ordered(pool, function, range(0, n, batch), 2 * n_threads):
            yield values
            done += len(values)
            on_progress(done, n)
    finally:
        pool.shutdown(cancel_futures=True)
