"""Numbers in their range, and names out of a list."""

import numpy as np
import pytest

from keras_distill.checks import arguments
from keras_distill.checks.arguments import Number


@pytest.mark.parametrize(
    ("number", "words", "accepted", "refused"),
    [
        (Number(int, 1), "an int of 1 or more", [1, 7, np.int64(3)], [0, -1]),
        (Number(int, 0, None, 9), "an int from 0 to 9", [0, 9], [-1, 10]),
        (Number(float, above=0), "a number above 0", [1, 1e-9], [0, 0.0, -1]),
        (
            Number(float, minimum=0, below=1),
            "a number at least 0 and below 1",
            [0, 0.5],
            [1, 1.5, -0.1],
        ),
        (
            Number(float, above=0, maximum=1),
            "a number above 0 and at most 1",
            [1, np.float32(0.5)],
            [0, 2],
        ),
        (Number(float), "a number", [-1e9], []),
        (
            Number(int, 1, optional=True),
            "an int of 1 or more, or None",
            [2],
            [0],
        ),
    ],
)
def test_ranges(number, words, accepted, refused):
    assert str(number) == words
    assert all(number.accepts(value) for value in accepted)
    assert not any(number.accepts(value) for value in refused)


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize(
    "value",
    [True, False, "3", None, [1], float("nan"), float("inf"), 1j, np.ones(2)],
)
def test_what_is_no_number(kind, value):
    assert not Number(kind).accepts(value)


def test_a_float_is_no_int():
    assert not Number(int).accepts(3.0)
    assert Number(float).accepts(3)


def test_none_where_it_is_optional():
    assert Number(int, 1, optional=True).accepts(None)
    assert arguments.check_int("steps", None, 1, optional=True) is None


def test_values_are_plain():
    assert type(arguments.check_int("steps", np.int32(4))) is int
    assert type(arguments.check_float("rate", np.float32(0.5))) is float


def test_the_message_names_argument_range_and_value():
    with pytest.raises(ValueError) as error:
        arguments.check_int("batch_size", "3", minimum=1)
    assert str(error.value) == (
        "`batch_size` must be an int of 1 or more. Received: batch_size='3'"
    )
    with pytest.raises(ValueError, match="`rate` must be a number above 0"):
        arguments.check_float("rate", 0, above=0)


def test_seeds_are_those_of_numpy_and_keras():
    assert arguments.SEED.accepts(2**32 - 1)
    assert not arguments.SEED.accepts(2**32)
    assert not arguments.SEED.accepts(-1)


def test_choices():
    arguments.check_choice("mode", "max", ("max", "min"))
    with pytest.raises(ValueError) as error:
        arguments.check_choice("mode", "mix", ("max", "none", None))
    assert str(error.value) == (
        "`mode` must be one of 'max', 'none', None. Received: mode='mix' "
        "(did you mean 'max'?)"
    )
    for value in (1, True, ["max"], np.ones(2)):
        with pytest.raises(ValueError, match="`mode` must be one of"):
            arguments.check_choice("mode", value, ("max", False, 2))
