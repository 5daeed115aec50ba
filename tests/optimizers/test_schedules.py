"""Learning rates against hand-computed values."""

import keras
import pytest
from keras import ops

from keras_distill.optimizers.schedules import CosineRestarts
from keras_distill.optimizers.schedules import JoinedSchedules
from keras_distill.optimizers.schedules import KnowledgeTransferRate
from keras_distill.optimizers.schedules import WarmupLinearDecay


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


@pytest.mark.parametrize(
    "step, rate",
    [
        (0, 1e-3),
        (25, 5.00005e-4),
        (50, 1e-8),
        # Restarts: 0.97 of the peak, twice the period.
        (51, 9.7e-4),
        (101, 4.85005e-4),
        (151, 1e-8),
        (152, 9.409e-4),
        (252, 4.70455e-4),
        (352, 1e-8),
    ],
)
def test_cosine_restarts_of_xtremedistil(step, rate):
    assert float(CosineRestarts()(step)) == pytest.approx(rate, rel=1e-5)


def test_cosine_of_equal_periods():
    schedule = CosineRestarts(1.0, 0.0, period=2, growth=1, decay=0.5)
    rates = [float(schedule(step)) for step in range(7)]
    assert rates == pytest.approx([1, 0.5, 0, 0.5, 0.25, 0, 0.25], abs=1e-6)


def test_cosine_restarts_far_from_the_start():
    """Steps that float32 cannot tell apart."""
    schedule = CosineRestarts(1.0, 0.0, period=2**25, growth=2, decay=0.5)
    first = 2**25 + 1
    assert float(schedule(first - 1)) == pytest.approx(0.0, abs=1e-6)
    assert float(schedule(first)) == 0.5
    assert 0 <= float(schedule(2**31 - 1)) <= 1


def test_a_peak_never_falls_below_the_floor():
    schedule = CosineRestarts(1.0, 0.8, period=1, growth=1, decay=0.5)
    assert float(schedule(40)) == pytest.approx(0.8)


def test_an_optimizer_takes_cosine_restarts():
    variable = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(CosineRestarts(0.5, 0.0, period=1))
    optimizer.build([variable])
    for _ in range(2):
        optimizer.apply([ops.ones((1,))], [variable])
    # The second step has the rate 0.
    value = ops.convert_to_numpy(variable)[0]
    assert value == pytest.approx(0.5)
    assert float(optimizer.learning_rate) == pytest.approx(0.485)


def test_cosine_restarts_come_back_from_a_config():
    schedule = CosineRestarts(1e-2, 1e-4, period=7, growth=1.5, decay=0.9)
    revived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(schedule)
    )
    assert revived.get_config() == schedule.get_config()
    assert float(revived(9)) == float(schedule(9)) > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"floor": 1.0}, "to 0.001. Received: floor=1.0"),
        ({"floor": -1.0}, "floor=-1.0"),
        ({"period": 0}, "period=0"),
        ({"period": 2.5}, "an int of 1 or more.*period=2.5"),
        ({"growth": 0.5}, "growth=0.5"),
        ({"decay": 0.0}, "decay=0.0"),
        ({"decay": 1.5}, "decay=1.5"),
    ],
)
def test_bad_arguments_of_cosine_restarts(arguments, message):
    with pytest.raises(ValueError, match=message):
        CosineRestarts(**arguments)


@pytest.mark.parametrize(
    "step, rate",
    [
        (0, 0.0),
        (500, 0.5),
        (1000, 0.99486833),
        (5000, 0.97071068),
        (9999, 0.901),
        # The next layer.
        (10_000, 0.0),
        (10_500, 0.5),
        # The last step of 24 layers.
        (239_999, 0.901),
    ],
)
def test_the_rate_of_a_layer_is_mobileberts(step, rate):
    schedule = KnowledgeTransferRate(1.0, steps_per_layer=10_000)
    assert float(schedule(step)) == pytest.approx(rate, rel=1e-6)


def test_the_rate_in_the_middle_of_the_second_layer_is_as_released():
    schedule = KnowledgeTransferRate(3.0 * 1.5e-3, steps_per_layer=10_000)
    active = float(schedule(15_000))
    assert active == pytest.approx(4.3682e-3, rel=1e-5)
    # A layer that is done has a tenth.
    assert 0.1 * active == pytest.approx(4.368e-4, rel=1e-4)


def test_the_rate_of_a_layer_comes_back_from_a_config():
    schedule = KnowledgeTransferRate(4.5e-3, steps_per_layer=7)
    revived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(schedule)
    )
    assert revived.get_config() == schedule.get_config()
    assert float(revived(9)) == float(schedule(9)) > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"peak": 0.0, "steps_per_layer": 2}, "peak=0.0"),
        # Its only step would have the rate 0.
        ({"peak": 1.0, "steps_per_layer": 1}, "steps_per_layer=1"),
    ],
)
def test_bad_arguments_of_the_rate_of_a_layer(arguments, message):
    with pytest.raises(ValueError, match=message):
        KnowledgeTransferRate(**arguments)
