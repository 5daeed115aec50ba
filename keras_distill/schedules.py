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
