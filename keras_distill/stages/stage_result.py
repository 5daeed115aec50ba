"""What a finished stage leaves beside its weights."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class StageResult:
    """What a finished stage leaves beside its weights.

    Attributes:
        history: dict of str to list of float, one value an epoch, as
            `keras.callbacks.History` has it.
        seconds: float. The time that training took, over all the times that
            the run was started.
        best: dict of the measures of the epoch whose weights were kept, with
            its number, from 1, under `"epoch"`; or `None` where the last
            weights were kept. Epoch 0 is what the stage started from.
        start: dict of the measures of what the stage started from, or `None`
            where the last weights were kept.
    """

    history: dict
    seconds: float
    best: dict | None = None
    start: dict | None = None

    @property
    def keeps_start(self):
        """Whether no epoch was as good as what the stage started from."""
        return self.best is not None and self.best["epoch"] == 0
