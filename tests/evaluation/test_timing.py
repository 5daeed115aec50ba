import collections

import numpy as np

from keras_distill.evaluation import timing


class Recorder:
    """Stands in for a pipeline; writes down whose turn it is."""

    def __init__(self, name, log, compiles_each_length=False):
        self.name = name
        self.log = log
        self.compiles_each_length = compiles_each_length

    def texts(self, columns):
        return columns

    def tokenize(self, batch):
        self.log.append(self.name)
        return batch

    def forward(self, features):
        return self

    def __array__(self, dtype=None, copy=None):
        self.log.append(f"{self.name} done")
        return np.zeros(1)


def test_models_take_turns_after_a_warm_up():
    log = []
    pipelines = {name: Recorder(name, log) for name in ("big", "small")}
    batches = [None] * 12
    turns = []
    seconds = timing.measure(pipelines, batches, lambda: turns.append(1))
    begun = [entry for entry in log if not entry.endswith("done")]
    assert begun == (
        ["big"] * 5
        + ["small"] * 5
        + ["big"] * 10
        + ["small"] * 10
        + ["big"] * 2
        + ["small"] * 2
    )
    assert list(seconds) == ["big", "small"]
    assert all(pairs.shape == (12, 2) for pairs in seconds.values())
    assert all((pairs >= 0).all() for pairs in seconds.values())
    assert len(turns) == timing.num_turns(pipelines, batches) == 4


def test_batches_are_waited_for():
    log = []
    timing.measure({"big": Recorder("big", log)}, [None], lambda: None)
    assert log == ["big", "big done"] * 2


def test_no_length_is_new_when_the_clock_runs():
    log = []
    recorder = Recorder("big", log, compiles_each_length=True)
    timing.measure({"big": recorder}, [None] * 7, lambda: None)
    assert log.count("big") == 7 + 7


def test_sampled_batches_use_every_text_before_one_comes_back():
    texts = ([f"text {i}" for i in range(5)],)
    batches = timing.sample_batches(texts, batch_size=2, runs=5)
    drawn = [text for (batch,) in batches for text in batch]
    assert [batch.shape for (batch,) in batches] == [(2,)] * 5
    assert set(collections.Counter(drawn).values()) == {2}


def test_sampled_pairs_stay_together():
    firsts = [f"text {i}" for i in range(9)]
    seconds = [f"text {i} too" for i in range(9)]
    for first, second in timing.sample_batches((firsts, seconds), 3, 2):
        for a, b in zip(first, second, strict=True):
            assert b == a + " too"


def test_samples_are_the_same_every_time():
    texts = ([f"text {i}" for i in range(50)],)
    first, again = (timing.sample_batches(texts, 4, 3) for _ in range(2))
    np.testing.assert_array_equal(np.array(first), np.array(again))
