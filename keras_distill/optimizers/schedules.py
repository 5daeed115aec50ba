"""Learning rates over the steps of a stage."""

import math

import keras
import numpy as np
from keras import ops

from keras_distill.checks.arguments import Number
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int

# Restarts beyond this step never come; 2 ** 31 - 1 fits int32.
_LAST_STEP = 2**31 - 1


@keras.saving.register_keras_serializable("keras_distill")
class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to a peak, then falls linearly to 0.

    With `t = step / total_steps`: `peak * t / warmup` while `t < warmup`,
    then `peak * (1 - t) / (1 - warmup)`, and 0 after the end. (TinyBERT's
    script keeps falling as `peak * (1 - t)` after the warm-up, with a jump
    at its end; BERT's, which this is, does not jump.)

    Args:
        peak: float. The highest learning rate.
        total_steps: int. Steps until the rate is 0.
        warmup: float. Share of the steps spent rising, from 0 to less than 1.
            Defaults to `0.1`.

    Example:

    >>> from keras_distill.optimizers.schedules import WarmupLinearDecay
    >>> schedule = WarmupLinearDecay(1e-3, total_steps=100)
    >>> [round(float(schedule(step)), 6) for step in (5, 10, 55, 100)]
    [0.0005, 0.001, 0.0005, 0.0]
    """

    def __init__(self, peak, total_steps, warmup=0.1):
        super().__init__()
        self.peak = check_float("peak", peak, above=0)
        self.total_steps = check_int("total_steps", total_steps, minimum=1)
        self.warmup = check_float("warmup", warmup, minimum=0, below=1)

    def __call__(self, step):
        progress = ops.cast(step, "float32") / self.total_steps
        falling = ops.maximum(1.0 - progress, 0.0) / (1.0 - self.warmup)
        if self.warmup == 0:
            return self.peak * falling
        return self.peak * ops.minimum(progress / self.warmup, falling)

    def get_config(self):
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "warmup": self.warmup,
        }


@keras.saving.register_keras_serializable("keras_distill")
class JoinedSchedules(keras.optimizers.schedules.LearningRateSchedule):
    """One schedule after the other, each from its own step 0.

    Each phase of `keras_distill.callbacks.ProgressiveKnowledgeTransfer` gets
    a warm-up and a decay of its own with it.

    Args:
        parts: sequence of pairs of a schedule, or a float for a constant
            rate, and its number of steps. The last one goes on beyond its
            steps.

    Example:

    >>> from keras_distill.optimizers.schedules import JoinedSchedules
    >>> from keras_distill.optimizers.schedules import WarmupLinearDecay
    >>> phase = WarmupLinearDecay(1e-3, total_steps=100)
    >>> schedule = JoinedSchedules([(phase, 100)] * 2 + [(1e-5, 50)])
    >>> [round(float(schedule(step)), 6) for step in (5, 55, 105, 155, 200)]
    [0.0005, 0.0005, 0.0005, 0.0005, 1e-05]
    """

    def __init__(self, parts):
        super().__init__()
        self.parts = [tuple(part) for part in parts]
        if not self.parts or not all(map(_is_part, self.parts)):
            raise ValueError(
                "`parts` must hold pairs of a schedule or a rate and its "
                f"number of steps, 1 or more. Received: parts={parts!r}"
            )

    def __call__(self, step):
        step = ops.cast(step, "int32")
        rate, begin = None, 0
        for schedule, steps in self.parts:
            value = schedule
            if callable(schedule):
                value = schedule(ops.maximum(step - begin, 0))
            value = ops.cast(value, "float32")
            if rate is None:
                rate = value
            else:
                rate = ops.where(step < begin, rate, value)
            begin += steps
        return rate

    def get_config(self):
        return {
            "parts": [
                [keras.saving.serialize_keras_object(schedule), steps]
                for schedule, steps in self.parts
            ]
        }

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))


def _is_part(part):
    """Whether it is a schedule, or a rate, and its number of steps."""
    return (
        len(part) == 2
        and (callable(part[0]) or Number(float, minimum=0).accepts(part[0]))
        and Number(int, minimum=1).accepts(part[1])
    )


@keras.saving.register_keras_serializable("keras_distill")
class CosineRestarts(keras.optimizers.schedules.LearningRateSchedule):
    """Falls from a peak to a floor along a cosine, then starts again.

    In cycle `i`, counted from 0, the rate falls from `peak * decay^i` to
    `floor` in `period * growth^i` steps: at `t` steps into the cycle it is
    `floor + (peak * decay^i - floor) * (1 + cos(pi * t / (period * growth^i)))
    / 2`. The step at which it is at the floor is the last one of its cycle;
    the next step is the first one of the next. (`CosineDecayRestarts` of Keras
    starts the next cycle at that step, so that its rate is never at the floor,
    and its floor is a share of the peak.)

    The defaults are those of XtremeDistil's first code, in which a step is an
    epoch: with `n` batches in an epoch, set `period=50 * n`.

    Args:
        peak: float. The rate at the start. Defaults to `1e-3`.
        floor: float. The lowest rate. Defaults to `1e-8`.
        period: int. Steps of the first cycle from the peak to the floor.
            Defaults to `50`.
        growth: float. Factor from one period to the next, at least 1; periods
            are rounded up. Defaults to `2.0`.
        decay: float. Factor from one peak to the next, more than 0 and at
            most 1. Defaults to `0.97`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> from keras_distill.optimizers.schedules import CosineRestarts
    >>> schedule = CosineRestarts()
    >>> [f"{float(schedule(step)):.6g}" for step in (0, 25, 50, 51)]
    ['0.001', '0.000500005', '1e-08', '0.00097']

    Reference:
        - SGDR, https://arxiv.org/abs/1608.03983.
        - XtremeDistil, https://arxiv.org/abs/2004.05686; the numbers are
          those of its code, https://github.com/MSR-LIT/XtremeDistil.
    """

    def __init__(
        self, peak=1e-3, floor=1e-8, period=50, growth=2.0, decay=0.97
    ):
        super().__init__()
        self.peak = check_float("peak", peak, above=0)
        self.floor = check_float("floor", floor, minimum=0, maximum=peak)
        self.period = check_int("period", period, minimum=1)
        self.growth = check_float("growth", growth, minimum=1)
        self.decay = check_float("decay", decay, above=0, maximum=1)

    def __call__(self, step):
        step = ops.cast(step, "int32")
        if self.growth == 1:
            # Cycles without end, but all alike.
            cycle = step // (self.period + 1)
            start, period = cycle * (self.period + 1), self.period
        else:
            starts, periods = map(ops.convert_to_tensor, self._cycles())
            cycle = ops.sum(ops.cast(step >= starts, "int32")) - 1
            start, period = ops.take(starts, cycle), ops.take(periods, cycle)
        # Whole numbers up to here: float32 cannot count beyond 2 ** 24.
        share = ops.cast(step - start, "float32") / ops.cast(period, "float32")
        peak = self.peak * ops.power(self.decay, ops.cast(cycle, "float32"))
        height = ops.maximum(peak - self.floor, 0.0)
        return self.floor + 0.5 * height * (1.0 + ops.cos(math.pi * share))

    def _cycles(self):
        """First step and period of each cycle that a run can reach."""
        starts, periods = [0], [self.period]
        while starts[-1] + periods[-1] < _LAST_STEP:
            starts.append(starts[-1] + periods[-1] + 1)
            periods.append(math.ceil(periods[-1] * self.growth))
        periods[-1] = min(periods[-1], _LAST_STEP)
        return np.array(starts, "int32"), np.array(periods, "int32")

    def get_config(self):
        return {
            "peak": self.peak,
            "floor": self.floor,
            "period": self.period,
            "growth": self.growth,
            "decay": self.decay,
        }


@keras.saving.register_keras_serializable("keras_distill")
class KnowledgeTransferRate(keras.optimizers.schedules.LearningRateSchedule):
    """Rises and falls a little, and starts again with each layer.

    The rate of the active layer in MobileBERT's progressive knowledge
    transfer. With `S` steps a layer and `u = step mod S` it is

    `peak * min(0.9 + 0.1 * sqrt(1 - u / S), 10 * u / S)`

    `step` is the optimizer's count, from 0, by which
    `keras_distill.callbacks.ProgressiveKnowledgeTransfer(steps=S)` goes from
    layer to layer. So the first step of each layer has the rate 0: moments
    move in it, weights do not. The released code has these rates at the same
    steps, from 0 as well, and in that step still counts the layer before.

    It has no end. `JoinedSchedules` puts another one behind it.

    Args:
        peak: float. The highest learning rate, all but reached. Released:
            3 times 1.5e-3.
        steps_per_layer: int. `S`, 2 or more. Released: 10,000.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> from keras_distill.optimizers.schedules import KnowledgeTransferRate
    >>> schedule = KnowledgeTransferRate(1.0, steps_per_layer=10_000)
    >>> [f"{float(schedule(step)):.6f}" for step in (0, 500, 5_000, 15_000)]
    ['0.000000', '0.500000', '0.970711', '0.970711']

    Reference:
        - MobileBERT, https://arxiv.org/abs/2004.02984; released code:
          `distill_util.py`.
    """

    def __init__(self, peak, steps_per_layer):
        super().__init__()
        self.peak = check_float("peak", peak, above=0)
        # With one step, that would have the rate 0.
        self.steps_per_layer = check_int(
            "steps_per_layer", steps_per_layer, minimum=2
        )

    def __call__(self, step):
        steps = self.steps_per_layer
        done = ops.cast(step, "int32") % steps
        # Whole numbers up to here: 1 - u / S would round.
        left = ops.cast(steps - done, "float32") / steps
        done = ops.cast(done, "float32") / steps
        return self.peak * ops.minimum(0.9 + 0.1 * ops.sqrt(left), 10.0 * done)

    def get_config(self):
        return {"peak": self.peak, "steps_per_layer": self.steps_per_layer}
