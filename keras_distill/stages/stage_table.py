"""The stages of a run as a table, read off the stages themselves."""

import math

from keras_distill.io.markdown import markdown_table
from keras_distill.losses.objective import as_losses

_HEADER = (
    "stage",
    "rows",
    "learns from",
    "trains",
    "optimizer",
    "at most",
    "best epoch by",
)


def stage_table(stages):
    """A list of stages as a table: what each trains, on what and how long.

    Args:
        stages: iterable of `keras_distill.stages.Stage`.

    Returns:
        str. Markdown.

    Example:

    ```python
    import keras
    from keras_distill import stages
    from keras_distill import tasks
    from keras_distill import teachers

    model = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    examples = tasks.Examples((["good film", "dull film"],), [1, 0])
    stage = stages.Stage(
        "labels",
        model,
        tasks.TokenizedExamples(examples, model.preprocessor, 8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=lambda steps: keras.optimizers.Adam(1e-3),
        epochs=2,
    )
    print(stages.stage_table([stage]))
    ```
    """
    return markdown_table(_HEADER, map(_row, stages))


def _row(stage):
    described = stage.describe()
    return [
        stage.name,
        f"{len(stage.train):,}" if hasattr(stage.train, "__len__") else "–",
        _sources(stage),
        _trained(stage),
        _optimizer(described["optimizer"]),
        f"{stage.total_epochs} epochs, {stage.total_steps:,} steps",
        described["keep"],
    ]


def _sources(stage):
    return "; ".join(
        f"{part.name}, {_source(part)}" if part.name else _source(part)
        for part in stage.parts
    )


def _source(part):
    if part.teacher is None:
        return f"labels: {type(part.loss).__name__}"
    found = as_losses(part.distillation_losses)
    return f"the teacher: {', '.join(loss.name for loss in found)}"


def _trained(stage):
    parts = ["all"]
    if stage.trainable is not None:
        parts = [getattr(part, "name", part) for part in stage.trainable]
    with stage.only_trainable():
        trained = _count(stage.student.trainable_variables)
    of_all = _count(stage.student.weights)
    return f"{', '.join(parts)}: {trained:,} of {of_all:,} weights"


def _count(variables):
    return sum(math.prod(variable.shape) for variable in variables)


def _optimizer(described):
    if isinstance(described, str):
        # Keras cannot say more of it.
        return described
    name, config = described["class_name"], described["config"]
    if "inner_optimizer" in config:
        return f"{name} over {_optimizer(config['inner_optimizer'])}"
    rate = config["learning_rate"]
    if isinstance(rate, float):
        return f"{name}, {rate:g}"
    peak = rate["config"].get("peak")
    suffix = "" if peak is None else f" with peak {peak:g}"
    return f"{name}, {rate['class_name']}{suffix}"
