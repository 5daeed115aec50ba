import math

import pytest

from keras_distill.evaluation import formatting


@pytest.mark.parametrize(
    "value, words",
    [
        (0, "0"),
        (999, "999"),
        (612_345, "612.3 k"),
        (999_999, "1.00 M"),
        (10_646_016, "10.65 M"),
    ],
)
def test_count(value, words):
    assert formatting.count(value) == words


@pytest.mark.parametrize(
    "seconds, words",
    [
        (0.04, "0.0 s"),
        (8.21, "8.2 s"),
        (59.99, "1 min 0 s"),
        (192.4, "3 min 12 s"),
        (3599.9, "1 h 0 min"),
        (7530, "2 h 5 min"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_duration(seconds, words):
    assert formatting.duration(seconds).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    "value, words",
    [
        (0.9832, "98.3"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        ({"mean": 0.9, "sd": 0.0049}, "90.0 ± 0.5"),
        ({"mean": 0.9, "sd": 0.0}, "90.0"),
        ({"mean": 0.9, "sd": None}, "90.0"),
        ({"mean": None, "sd": None}, "–"),
    ],
)
def test_cell(value, words):
    assert formatting.cell(value, formatting.percent) == words
