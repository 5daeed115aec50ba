"""How many batches of each task an epoch has."""

import re

import numpy as np
import pytest

from keras_distill.data import AnnealedMixing
from keras_distill.data import MainTaskMixing
from keras_distill.data import ProportionalMixing

ROWS = {"mnli": 960, "rte": 90, "cola": 320}
BATCHES = {"mnli": 30, "rte": 3, "cola": 10}


def test_in_proportion_all_batches_have_their_turn():
    assert ProportionalMixing().counts(ROWS, BATCHES, 3, 1) == BATCHES


def test_annealed_shares_follow_the_formula():
    mixing = AnnealedMixing(epochs=3)
    for epoch, alpha in enumerate([1.0, 0.6, 0.2, 0.2]):
        counts = mixing.counts(ROWS, BATCHES, epoch, seed=0)
        assert sum(counts.values()) == 43
        powers = np.array(list(ROWS.values())) ** alpha
        exact = 43 * powers / powers.sum()
        assert list(counts) == list(ROWS)
        assert np.abs(np.array(list(counts.values())) - exact).max() < 1
    # By hand: 43 * (960, 90, 320) / 1370 = 30.13, 2.82, 10.04.
    assert mixing.counts(ROWS, BATCHES, 0, 0) == BATCHES
    assert AnnealedMixing(1).counts(ROWS, BATCHES, 0, 0) == BATCHES


@pytest.mark.parametrize(
    "ratio, extra", [(0.5, 5), (0.29, 2), (0.1, 1), (0.05, 0), (9.0, 33)]
)
def test_around_a_main_task_the_others_are_of_an_exact_number(ratio, extra):
    mixing = MainTaskMixing("cola", ratio)
    seen = [mixing.counts(ROWS, BATCHES, epoch, seed=4) for epoch in range(20)]
    for counts in seen:
        assert counts["cola"] == 10
        assert counts["mnli"] + counts["rte"] == extra
        assert counts["mnli"] <= 30 and counts["rte"] <= 3
    assert seen == [mixing.counts(ROWS, BATCHES, e, seed=4) for e in range(20)]
    if ratio == 0.5:
        # Of the others each is drawn, rarely and often.
        assert len({counts["rte"] for counts in seen}) > 1


def test_a_ratio_of_hundredths_is_not_rounded_down_twice():
    counts = MainTaskMixing("a", 0.29).counts({}, {"a": 100, "b": 90}, 0, 0)
    assert counts == {"a": 100, "b": 29}


def test_what_cannot_be():
    with pytest.raises(ValueError, match="`epochs` must be an int of 1"):
        AnnealedMixing(0)
    with pytest.raises(ValueError, match="`ratio` must be a number above 0"):
        MainTaskMixing("cola", 0)
    wanted = re.escape("must be one of the tasks mnli, rte, cola.")
    with pytest.raises(ValueError, match=wanted):
        MainTaskMixing("sst2", 1.0).counts(ROWS, BATCHES, 0, 0)
