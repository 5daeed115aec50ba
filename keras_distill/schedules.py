"""Learning rates over the steps of a stage."""

import keras
from keras import ops


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

    >>> from keras_distill.schedules import WarmupLinearDecay
    >>> schedule = WarmupLinearDecay(1e-3, total_steps=100)
    >>> [round(float(schedule(step)), 6) for step in (5, 10, 55, 100)]
    [0.0005, 0.001, 0.0005, 0.0]
    """

    def __init__(self, peak, total_steps, warmup=0.1):
        super().__init__()
        if not 0 <= warmup < 1:
            raise ValueError(
                "`warmup` must be a share of the steps from 0 to less than 1. "
                f"Received: warmup={warmup}"
            )
        if total_steps < 1:
            raise ValueError(
                "`total_steps` must be 1 or more. "
                f"Received: total_steps={total_steps}"
            )
        self.peak = peak
        self.total_steps = total_steps
        self.warmup = warmup

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

    >>> from keras_distill.schedules import JoinedSchedules
    >>> from keras_distill.schedules import WarmupLinearDecay
    >>> phase = WarmupLinearDecay(1e-3, total_steps=100)
    >>> schedule = JoinedSchedules([(phase, 100)] * 2 + [(1e-5, 50)])
    >>> [round(float(schedule(step)), 6) for step in (5, 55, 105, 155, 200)]
    [0.0005, 0.0005, 0.0005, 0.0005, 1e-05]
    """

    def __init__(self, parts):
        super().__init__()
        self.parts = [tuple(part) for part in parts]
        if not self.parts or any(
            len(part) != 2 or not isinstance(part[1], int) or part[1] < 1
            for part in self.parts
        ):
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
