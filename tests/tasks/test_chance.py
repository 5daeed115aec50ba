"""What ignorance scores."""

import pytest

from keras_distill import tasks


@pytest.mark.parametrize(
    "name, labels, expected",
    [
        ("sst2", [0, 1, 1, 1], 0.75),
        ("mnli", [2, 2, 0, 1], 0.5),
        ("cola", [1, 1, 0, 1], 0.0),
        ("stsb", [0.0, 2.5, 5.0], 0.0),
    ],
)
def test_chance_level(name, labels, expected):
    assert tasks.chance_level(tasks.get_task(name), labels) == expected
