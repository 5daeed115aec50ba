"""Augments rows in chunks, one after the other or in several processes."""

import collections
import concurrent.futures
import multiprocessing

# Rows of a chunk, never fewer for more processes: what the model computes of a
# row may depend on the rows beside it, by rounding.
CHUNK = 1024
# The augmenter of a worker's process.
_of_worker = None


def augmented_chunks(
    make_augmenter, columns, processes=1, first_chunk=0, executor=None
):
    """Yields the rows of one chunk of texts after the other.

    They are the same for any number of processes.

    Args:
        make_augmenter: function without arguments that makes an `Augmenter`,
            called in each process. For several processes it must be one that
            can be sent to them, such as a `functools.partial` of a function
            of a module.
        columns: tuple of one or two lists of str.
        processes: int. Defaults to `1`: this one.
        first_chunk: int. So many chunks were done before. Defaults to `0`.
        executor: Optional `concurrent.futures.Executor` in place of new
            processes.

    Yields:
        Pairs of the number of texts and their rows, as of `Augmenter.rows`.
    """
    starts = range(first_chunk * CHUNK, len(columns[0]), CHUNK)
    jobs = (
        (start, tuple(column[start : start + CHUNK] for column in columns))
        for start in starts
    )
    if processes == 1 and executor is None:
        augmenter = make_augmenter()
        for start, texts in jobs:
            yield len(texts[0]), augmenter.rows(texts, start)
        return
    executor = executor or concurrent.futures.ProcessPoolExecutor(
        processes,
        # A fork of a process in which TensorFlow has threads may hang.
        multiprocessing.get_context("spawn"),
        _begin_worker,
        (make_augmenter,),
    )
    try:
        waiting = collections.deque()
        for start, texts in jobs:
            job = executor.submit(_augment, make_augmenter, start, texts)
            waiting.append((len(texts[0]), job))
            if len(waiting) > 2 * processes:
                count, job = waiting.popleft()
                yield count, job.result()
        for count, job in waiting:
            yield count, job.result()
    finally:
        executor.shutdown(cancel_futures=True)


def _begin_worker(make_augmenter):
    global _of_worker
    _of_worker = make_augmenter()


def _augment(make_augmenter, start, texts):
    augmenter = _of_worker or make_augmenter()
    return augmenter.rows(texts, start)
