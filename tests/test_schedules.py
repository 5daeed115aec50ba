"""Learning rates against hand-computed values."""

import keras
import pytest

from keras_distill.schedules import JoinedSchedules
from keras_distill.schedules import WarmupLinearDecay


@pytest.mark.parametrize(
    "step, multiplier",
    [(0, 0.0), (50, 0.5), (100, 1.0), (550, 0.5), (1000, 0.0), (2000, 0.0)],
)
def test_rises_over_a_tenth_and_falls_to_zero(step, multiplier):
    schedule = WarmupLinearDecay(2e-3, total_steps=1000)
    assert float(schedule(step)) == pytest.approx(2e-3 * multiplier, abs=1e-9)


def test_without_warmup_it_only_falls():
    schedule = WarmupLinearDecay(1.0, total_steps=4, warmup=0)
    rates = [float(schedule(step)) for step in range(5)]
    assert rates == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])


def test_config_round_trip():
    schedule = WarmupLinearDecay(1e-3, total_steps=10, warmup=0.2)
    revived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(schedule)
    )
    assert revived.get_config() == schedule.get_config()
    assert float(revived(1)) == float(schedule(1)) > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"total_steps": 10, "warmup": 1.0}, "warmup=1.0"),
        ({"total_steps": 10, "warmup": -0.1}, "warmup=-0.1"),
        ({"total_steps": 0}, "total_steps=0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        WarmupLinearDecay(1e-3, **arguments)


def test_joined_schedules_begin_anew_one_after_the_other():
    first = WarmupLinearDecay(1.0, total_steps=4, warmup=0.5)
    last = WarmupLinearDecay(0.5, total_steps=4, warmup=0)
    schedule = JoinedSchedules([(first, 4), (0.1, 2), (last, 4)])
    rates = [float(schedule(step)) for step in range(12)]
    assert rates == pytest.approx(
        [0, 0.5, 1, 0.5, 0.1, 0.1, 0.5, 0.375, 0.25, 0.125, 0, 0]
    )


def test_joined_schedules_round_trip():
    schedule = JoinedSchedules([(WarmupLinearDecay(1e-3, 10), 10), (1e-4, 5)])
    revived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(schedule)
    )
    for step in (1, 12):
        assert float(revived(step)) == float(schedule(step)) > 0


@pytest.mark.parametrize("parts", [[], [(0.1,)], [(0.1, 0)], [(0.1, 2.5)]])
def test_joined_schedules_need_steps(parts):
    with pytest.raises(ValueError, match="`parts` must hold pairs"):
        JoinedSchedules(parts)


def test_an_optimizer_follows_joined_schedules():
    optimizer = keras.optimizers.SGD(JoinedSchedules([(1.0, 1), (0.5, 2)]))
    variable = keras.Variable(0.0)
    for _ in range(2):
        optimizer.apply([keras.ops.convert_to_tensor(-1.0)], [variable])
    assert float(variable.numpy()) == 1.5
