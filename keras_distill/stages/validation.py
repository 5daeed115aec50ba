"""What the epochs of a stage are chosen by."""

import keras

from keras_distill.callbacks import KeepBest
from keras_distill.io import content_hash
from keras_distill.stages.code_hash import object_hash
from keras_distill.stages.identity import data_identity
from keras_distill.stages.parts import has_several_tasks

LOSS = "loss"
# Of several tasks: the mean of what chooses.
MEAN = "mean"


def keep_best(stage):
    """Keeps the epoch of a stage that is best on its `validation`."""
    monitor = LOSS if not stage.selected else stage.selected[0]
    if stage.selected and has_several_tasks(stage):
        monitor = MEAN
    measured = any(part.task is not None for part in stage.parts)
    measure = _Measure(stage, with_loss=monitor == LOSS or not measured)
    keep = KeepBest(
        measure,
        monitor,
        "min" if monitor == LOSS else "max",
        stage.patience,
        stage.evaluate_every,
    )
    # The distiller, which knows teacher and losses, is there later.
    measure.keep = keep
    return keep


def selected_measures(stage):
    """The names of those measures whose mean chooses; none for the loss."""
    parts = [
        part
        for part in stage.parts
        if part.task is not None and part.validation is not None
    ]
    default = {part.name: _selection_metric(part) for part in parts}
    known = [part.prefix + name for part in parts for name in part.task.metrics]
    chosen = stage.select_by
    if chosen is None:
        return list(default.values())
    if chosen == LOSS:
        return []
    choices = [LOSS, *known]
    if has_several_tasks(stage):
        choices += default
    else:
        default = {}
    names = [chosen] if isinstance(chosen, str) else chosen
    if not names or not isinstance(names, (list, tuple)):
        names = [chosen]
    for name in names:
        if name not in choices or (name == LOSS and len(names) > 1):
            raise ValueError(
                f"`select_by` must be one of {', '.join(choices)}. "
                f"Received, for stage '{stage.name}': {chosen!r}"
            )
    return [default.get(name, name) for name in names]


def _selection_metric(part):
    return part.prefix + part.task.selection_metric


class _Measure:
    """The losses of what is trained and the metrics of its student."""

    def __init__(self, stage, with_loss):
        self._stage = stage
        self._with_loss = with_loss
        self.keep = None

    def __call__(self):
        stage, found = self._stage, {}
        if self._with_loss:
            batches = stage.validation.batches(
                stage.batch_size, **stage.batch_options
            )
            model = self.keep.model
            evaluate = model.evaluate
            if hasattr(model, "preprocessor"):
                # KerasHub's own would run it on what is tokenised already.
                evaluate = keras.Model.evaluate.__get__(model)
            found = evaluate(batches, verbose=0, return_dict=True)
        for part in stage.parts:
            if part.task is None or part.validation is None:
                continue
            examples = part.validation
            if hasattr(examples, "with_targets"):
                # What a teacher left beside the tokens is not needed.
                examples = examples.with_targets(None)
            scores = part.task.evaluate(part.student, examples)
            found = {
                **found,
                **{part.prefix + name: x for name, x in scores.items()},
            }
        if self.keep.monitor == MEAN:
            chosen = [found[name] for name in stage.selected]
            found[MEAN] = sum(chosen) / len(chosen)
        return found

    def fingerprint(self):
        """Tells what is measured, and on what, from all else."""
        stage = self._stage
        return content_hash(
            data_identity(stage.validation),
            None if stage.task is None else object_hash(_tasks_of(stage)),
            self._with_loss,
        ).hexdigest()


def _tasks_of(stage):
    """The task, or the list of those of several, with what chooses."""
    if has_several_tasks(stage):
        return [stage.selected, *(part.task for part in stage.parts)]
    return stage.task
