"""The stages of a run as a table, read off the stages themselves."""

import math

from recipes.xtremedistil import tables

_HEADER = [
    "stage",
    "rows",
    "learns from",
    "trains",
    "optimizer",
    "at most",
    "best epoch by",
]


def to_markdown(rows):
    """Formats stages.

    Args:
        rows: list of what `row` returns.

    Returns:
        str. Markdown.
    """
    return tables.markdown(_HEADER, rows)


def row(stage):
    """What a stage does.

    Args:
        stage: `keras_distill.stages.Stage`.

    Returns:
        list of str.
    """
    described = stage.describe()
    return [
        stage.name,
        f"{len(stage.train):,}",
        _sources(stage),
        _trained(stage),
        _optimizer(described["optimizer"]),
        f"{stage.total_epochs} epochs, {stage.total_steps:,} steps",
        described["keep"],
    ]


def _sources(stage):
    if stage.teacher is None:
        return f"labels: {type(stage.loss).__name__}"
    found = stage.distillation_losses
    found = found if isinstance(found, (list, tuple)) else [found]
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
