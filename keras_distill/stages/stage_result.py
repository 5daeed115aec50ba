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


def shipped_weights(results):
    """Says which stage's weights a student has after its stages.

    Args:
        results: dict of stage name to `StageResult`, of the stages that one
            student went through, in their order.

    Returns:
        str, a sentence.

    Example:

    >>> from keras_distill import stages
    >>> results = {
    ...     "hidden": stages.StageResult({"loss": [0.5]}, 1.0),
    ...     "logits": stages.StageResult(
    ...         {"loss": [0.9]}, 1.0, best={"accuracy": 0.8, "epoch": 0}
    ...     ),
    ... }
    >>> stages.shipped_weights(results)
    "The student has the last weights of stage 'hidden'. Stage 'logits' made \
them no better."
    """
    in_vain = []
    for name, result in reversed(results.items()):
        if not result.keeps_start:
            kept = f"the last weights of stage '{name}'"
            if result.best is not None:
                kept = (
                    f"the weights of epoch {result.best['epoch']} of stage "
                    f"'{name}'"
                )
            break
        in_vain.insert(0, f"'{name}'")
    else:
        kept = "the weights that it had before all stages"
    sentence = f"The student has {kept}."
    if in_vain:
        stages = "Stage" if len(in_vain) == 1 else "Stages"
        sentence += f" {stages} {', '.join(in_vain)} made them no better."
    return sentence
