"""What the epochs of a stage are chosen by."""

import keras

from keras_distill.callbacks import KeepBest
from keras_distill.io import content_hash
from keras_distill.stages.code_hash import object_hash
from keras_distill.stages.identity import data_identity

LOSS = "loss"


def keep_best(stage):
    """Keeps the epoch of a stage that is best on its `validation`."""
    monitor = stage.select_by
    if monitor is None:
        monitor = LOSS if stage.task is None else stage.task.selection_metric
    measure = _Measure(stage, with_loss=monitor == LOSS or stage.task is None)
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
        if stage.task is not None:
            examples = stage.validation
            if hasattr(examples, "with_targets"):
                # What a teacher left beside the tokens is not needed.
                examples = examples.with_targets(None)
            found = {**found, **stage.task.evaluate(stage.student, examples)}
        return found

    def fingerprint(self):
        """Tells what is measured, and on what, from all else."""
        stage = self._stage
        return content_hash(
            data_identity(stage.validation),
            None if stage.task is None else object_hash(stage.task),
            self._with_loss,
        ).hexdigest()
