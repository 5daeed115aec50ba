"""The stages of the recurrent student: each loss, part after part."""

import dataclasses

import keras

from keras_distill import callbacks
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import schedules
from keras_distill import stages
from keras_distill import students


@dataclasses.dataclass(frozen=True)
class Unlabelled:
    """What a stage learns from without labels.

    Attributes:
        teacher: KerasHub task, or a `keras_distill.teachers.TeacherCache`.
        texts: Tokenised examples; of a cache, with its features attached.
        dev: The same of the dev split, whose labels are not read.
    """

    teacher: object
    texts: object
    dev: object


def distillation_stages(config, data, states, logits, student, teacher_layer):
    """How a recurrent student learns a task from a teacher.

    | stage | on | learns from | until |
    |---|---|---|---|
    | representation-... | transfer texts | hidden states | its loss |
    | logits-... | transfer texts | the teacher's logits | its loss |
    | labels-... | the training split | the labels | the task's metric |

    The last column is no longer better on the dev split; the best epoch's
    weights go on. Each row is a stage for each step of `students.unfreezing`.

    Args:
        config: `bilstm.Settings`.
        data: `TaskData`.
        states: `Unlabelled`, with the hidden states of the teacher's layer.
        logits: The same with its logits.
        student: KerasHub task over a `keras_distill.models.BiLstmBackbone`
            with a projection.
        teacher_layer: int. The layer of the teacher, from 1, that the
            projection follows.

    Returns:
        list of `keras_distill.stages.Stage`.
    """
    listed = []
    if config.representation_epochs:
        listed += [
            _distilling(
                f"representation-{name}",
                config,
                student,
                states,
                losses.HiddenStatesDistillation(
                    layer_map.explicit([(1, teacher_layer)]),
                    loss="kl",
                    # The projection is the student's own, and has the GELU.
                    projection=None,
                ),
                trained,
                config.representation_epochs,
            )
            # The head stands above all that this loss reaches.
            for name, trained in students.unfreezing(
                student, include_head=False
            )
        ]
    if config.logits_epochs:
        listed += [
            _distilling(
                f"logits-{name}",
                config,
                student,
                logits,
                losses.LogitsDistillation(loss="half_sum_of_squares"),
                trained,
                config.logits_epochs,
                # Known of the task while another value is gone by.
                and_measure=lambda: data.measure(student),
            )
            for name, trained in students.unfreezing(student)
        ]
    if config.labels_epochs:
        listed += [
            _on_labels(f"labels-{name}", config, student, data, trained)
            for name, trained in students.unfreezing(student)
        ]
    return listed


def _distilling(
    name,
    config,
    student,
    source,
    loss,
    trained,
    epochs,
    and_measure=dict,
):
    """Training without labels, until the loss on the dev split is least."""

    def measure():
        # The distiller, which knows teacher and loss.
        found = keep.model.evaluate(
            source.dev.batches(config.batch_size), verbose=0, return_dict=True
        )
        return {**found, **and_measure()}

    keep = callbacks.KeepBest(
        measure, "loss", mode="min", patience=config.patience
    )
    return stages.Stage(
        name,
        student,
        source.texts,
        teacher=source.teacher,
        distillation_losses=loss,
        student_loss_weight=0,
        trainable=trained,
        keep=keep,
        **_training(config, source.texts, epochs),
    )


def _on_labels(name, config, student, data, trained):
    """Training on the labels alone, until the metric rises no more."""
    return stages.Stage(
        name,
        student,
        data.train,
        loss=data.labelled.label_loss(),
        trainable=trained,
        keep=callbacks.KeepBest(
            lambda: data.measure(student),
            data.labelled.task.selection_metric,
            patience=config.patience,
        ),
        **_training(config, data.train, config.labels_epochs),
    )


def _training(config, texts, epochs):
    rate = schedules.CosineRestarts(
        config.peak_rate,
        config.floor_rate,
        config.period_epochs * texts.num_batches(config.batch_size),
        config.period_growth,
        config.peak_decay,
    )
    return {
        "optimizer": lambda _: keras.optimizers.Adam(rate),
        "epochs": epochs,
        "batch_size": config.batch_size,
    }
