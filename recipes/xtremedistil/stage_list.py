"""The method: the stages by which a student learns from a teacher.

| stage | on | learns from | until |
|---|---|---|---|
| representation | transfer texts | hidden states, attention | its loss |
| logits-... | transfer texts | the teacher's logits | its loss |
| labels-... | the training split | the labels | the task's metric |

The last column is no longer better on the dev split; the best epoch's weights
go on. Stages with a name behind are one for each step of unfreezing.
"""

import dataclasses
import math

from keras_distill import layer_map
from keras_distill import losses
from keras_distill import students


@dataclasses.dataclass(frozen=True)
class Lesson:
    """Who learns what of whom.

    Attributes:
        examples, data: `TaskData` of the task, as it was read and tokenised.
        texts, dev: What is learnt from without labels, and what chooses then.
        teacher: KerasHub task, or a `TeacherCache` attached to these.
        student: KerasHub task.
        logits_dir: `pathlib.Path` where the teacher's logits are kept.
        prefix: str. What the names of the stages begin with.
    """

    examples: object
    data: object
    texts: object
    dev: object
    teacher: object
    student: object
    logits_dir: object
    prefix: str = ""


def kept_lesson(experiment, lesson, path, features="logits", **options):
    """The same, with features of the teacher that are computed once."""

    def kept(name, examples):
        return experiment.cache(
            path / name, lesson.teacher, examples, [features], **options
        )

    texts, dev = kept("transfer", lesson.texts), kept("dev", lesson.dev)
    return dataclasses.replace(
        lesson,
        teacher=texts,
        texts=texts.attach(lesson.texts),
        dev=dev.attach(lesson.dev),
    )


def distillation_stages(experiment, lesson):
    """How a transformer student learns a task from a teacher."""
    config, student, listed = experiment.config, lesson.student, []
    if config.representation_epochs:
        listed.append(
            distilling(
                experiment,
                "representation",
                lesson,
                representation_losses(config, lesson.teacher, student),
                config.representation_epochs,
                rate=config.representation_rate,
            )
        )
    return listed + head_stages(
        experiment,
        lesson,
        students.unfreezing(student, config.unfreezing),
        losses.LogitsDistillation(loss="mse"),
        lambda trained, epochs: {"rate": _rate(config, trained)},
    )


def head_stages(experiment, lesson, steps, loss, rates, **of_logits):
    """The teacher's logits, then the labels, each in steps of unfreezing.

    `rates` gives options of a stage by what it trains and its most epochs.
    """
    config, listed = experiment.config, []
    if config.logits_epochs:
        logits = kept_lesson(experiment, lesson, lesson.logits_dir)
        listed += [
            distilling(
                experiment,
                f"logits-{name}",
                logits,
                loss,
                config.logits_epochs,
                trainable=trained,
                **rates(trained, config.logits_epochs),
                **of_logits,
            )
            for name, trained in steps
        ]
    if config.labels_epochs:
        listed += [
            experiment.label_stage(
                f"{lesson.prefix}labels-{name}",
                lesson.student,
                lesson.data,
                epochs=config.labels_epochs,
                trainable=trained,
                **rates(trained, config.labels_epochs),
            )
            for name, trained in steps
        ]
    return listed


def distilling(experiment, name, lesson, losses, epochs, **options):
    """Training without labels, until the loss on the dev split is least."""
    return experiment.stage(
        lesson.prefix + name,
        lesson.student,
        lesson.texts,
        epochs=epochs,
        teacher=lesson.teacher,
        distillation_losses=losses,
        student_loss_weight=0,
        validation=lesson.dev,
        select_by="loss",
        patience=experiment.config.patience,
        **options,
    )


def representation_losses(config, teacher, student):
    """What hidden states and attention are learned by, of any two sizes."""
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
        of_attention = losses.AttentionDistillation(
            layer_map.top_aligned, feature=config.attention
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
        of_attention = losses.RelationDistillation(
            num_relation_heads=math.gcd(*heads), layer_map=layer_map.top_aligned
        )
    return [*found, of_attention]


def create_student(experiment, teacher):
    """The student of the configuration, as it is before any stage."""
    return experiment.student(teacher, layer_map=upper_layers)


def upper_layers(num_student_layers, num_teacher_layers):
    """The layers that a student starts from: those that it will follow."""
    pairs = layer_map.top_aligned(num_student_layers, num_teacher_layers)
    return tuple(pair for pair in pairs if all(pair))


def _rate(config, trained):
    """The encoder's rate as soon as a part of it is trained."""
    is_head = trained is not None and not any(
        isinstance(part, str) for part in trained
    )
    return config.head_rate if is_head else config.encoder_rate
