"""Which stage's weights a student has at the end."""


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
