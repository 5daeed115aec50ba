"""The stages: what is trained in each, on what, for what and how long."""

import dataclasses
import math

from keras_distill import callbacks
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import stages
from keras_distill import students
from keras_distill import teachers
from recipes.common.devices import stage_options
from recipes.common.training import make_optimizer


@dataclasses.dataclass(frozen=True)
class TransferData:
    """What a student learns from without labels.

    Attributes:
        texts: `keras_distill.tasks.TokenizedExamples`.
        logits: `keras_distill.teachers.TeacherCache` of them, or `None`.
        texts_with_logits: The texts with the teacher's logits.
        dev_with_logits: The same of the dev split.
    """

    texts: object
    logits: teachers.TeacherCache | None = None
    texts_with_logits: object = None
    dev_with_logits: object = None


def distillation_stages(config, data, transfer, teacher, student, prefix=""):
    """How a student learns a task from a teacher.

    | stage | on | learns from | until |
    |---|---|---|---|
    | representation | transfer texts | hidden states, attention | its loss |
    | logits-... | transfer texts | the teacher's logits | its loss |
    | labels-... | the training split | the labels | the task's metric |

    The last column is no longer better on the dev split; the best epoch's
    weights go on. Each of the lower two is a stage for each step of
    `students.unfreezing`.

    Args:
        config: `Config`.
        data: `TaskData`.
        transfer: `TransferData`.
        teacher: KerasHub task.
        student: KerasHub task.
        prefix: str. What the stages' names begin with. Defaults to `""`.

    Returns:
        list of `keras_distill.stages.Stage`.
    """
    steps = students.unfreezing(student, config.unfreezing)
    listed = []
    if config.representation_epochs:
        listed.append(
            _distilling(
                f"{prefix}representation",
                config,
                student,
                transfer.texts,
                data.dev,
                teacher=teacher,
                distillation_losses=representation_losses(
                    config, teacher, student
                ),
                trainable=None,
                rate=config.representation_rate,
                epochs=config.representation_epochs,
            )
        )
    if config.logits_epochs:
        listed += [
            _distilling(
                f"{prefix}logits-{name}",
                config,
                student,
                transfer.texts_with_logits,
                transfer.dev_with_logits,
                teacher=transfer.logits,
                distillation_losses=losses.LogitsDistillation(loss="mse"),
                trainable=trained,
                rate=_rate(config, trained),
                epochs=config.logits_epochs,
            )
            for name, trained in steps
        ]
    if config.labels_epochs:
        listed += [
            label_stage(
                f"{prefix}labels-{name}",
                config,
                data,
                student,
                trainable=trained,
                rate=_rate(config, trained),
                epochs=config.labels_epochs,
            )
            for name, trained in steps
        ]
    return listed


def label_stage(
    name, config, data, model, rate, epochs, batch_size=None, trainable=None
):
    """Training on the labels alone, until the task's metric rises no more.

    Args:
        name: str.
        config: `Config`.
        data: `TaskData`.
        model: KerasHub task.
        rate: float. Peak learning rate.
        epochs: int. The most epochs.
        batch_size: Optional int. Defaults to that of students.
        trainable: As `Stage` takes it. Defaults to `None`: all.

    Returns:
        `keras_distill.stages.Stage`.
    """
    return stages.Stage(
        name,
        model,
        data.train,
        loss=data.labelled.label_loss(),
        trainable=trainable,
        batch_size=batch_size or config.batch_size,
        keep=callbacks.KeepBest(
            lambda: data.measure(model),
            data.labelled.task.selection_metric,
            patience=config.patience,
        ),
        **_training(config, rate, epochs, data.train),
    )


def _distilling(name, config, student, texts, dev, rate, epochs, **what):
    """Training without labels, until the loss on the dev split is least."""
    options = _training(config, rate, epochs, texts)

    def measure():
        # The distiller, which knows teacher and losses.
        batches = dev.batches(
            config.batch_size, **options.get("batch_options", {})
        )
        return keep.model.evaluate(batches, verbose=0, return_dict=True)

    keep = callbacks.KeepBest(
        measure, "loss", mode="min", patience=config.patience
    )
    return stages.Stage(
        name,
        student,
        texts,
        student_loss_weight=0,
        batch_size=config.batch_size,
        keep=keep,
        **options,
        **what,
    )


def representation_losses(config, teacher, student):
    """What hidden states and attention are learned by, of any two sizes.

    Args:
        config: `Config`.
        teacher: KerasHub task.
        student: KerasHub task.

    Returns:
        list of `keras_distill.losses.DistillationLoss`.

    Raises:
        ValueError: If probabilities are to be compared between different
            numbers of heads.
    """
    of_all = config.hidden_states == "all"
    widths = (teacher.backbone.hidden_dim, student.backbone.hidden_dim)
    found = [
        losses.HiddenStatesDistillation(
            layer_map.top_aligned,
            projection="per_layer" if len(set(widths)) > 1 else None,
            normalization="valid_tokens" if of_all else "first_token",
        )
    ]
    if config.attention == "none":
        return found
    heads = [model.backbone.num_heads for model in (teacher, student)]
    if heads[0] == heads[1]:
        found.append(
            losses.AttentionDistillation(
                layer_map.top_aligned, feature=config.attention
            )
        )
    elif config.attention == "probabilities":
        raise ValueError(
            "--attention probabilities are compared head by head. Received: "
            f"{heads[0]} heads of the teacher and {heads[1]} of --student "
            f"{config.student}. Use --attention scores, which stands for "
            "relations of queries, keys and values then, or as many heads."
        )
    else:
        # Heads cannot be compared one by one; relations can be cut into any
        # number of them that divides both widths.
        found.append(
            losses.RelationDistillation(
                num_relation_heads=math.gcd(*heads),
                layer_map=layer_map.top_aligned,
            )
        )
    return found


def _rate(config, trained):
    """The encoder's rate as soon as a part of it is trained."""
    is_head = trained is not None and not any(
        isinstance(part, str) for part in trained
    )
    return config.head_rate if is_head else config.encoder_rate


def _training(config, rate, epochs, texts):
    is_constant = config.schedule == "constant"
    return {
        "optimizer": lambda steps: make_optimizer(
            config, rate, None if is_constant else steps
        ),
        "epochs": epochs,
        **stage_options(config.strategy, texts.sequence_length),
    }
