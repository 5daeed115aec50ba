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

from keras_distill import layer_map
from keras_distill import losses
from keras_distill import students
from recipes.common.attention import follow_attention
from recipes.common.ensembles import first_of
from recipes.common.ensembles import is_ensemble
from recipes.common.soft_labels import keep_soft_labels


@dataclasses.dataclass(frozen=True)
class Lesson:
    """Who learns what of whom.

    Attributes:
        examples, data: `TaskData` of the task, as it was read and tokenised.
        texts, dev: What is learnt from without labels, and what chooses then.
        teacher: KerasHub task or `TeacherEnsemble`; or a `TeacherCache`
            attached to `texts` and `dev`.
        student: KerasHub task.
        logits_dir: `pathlib.Path` where the teacher's logits are kept.
        prefix: str. What the names of the stages begin with.
        raw_texts: `texts` as they were read, which several teachers tokenise
            each for itself.
        soft_labels: Optional `keras_distill.teachers.SoftLabels` of `texts`,
            in place of the teacher's logits.
    """

    examples: object
    data: object
    texts: object
    dev: object
    teacher: object
    student: object
    logits_dir: object
    prefix: str = ""
    raw_texts: object = None
    soft_labels: object = None


def kept_lesson(experiment, lesson, path, features="logits", **options):
    """The same, with features of the teacher that are computed once."""

    def kept(name, examples, raw):
        return experiment.cache(
            path / name, lesson.teacher, examples, [features], raw, **options
        )

    raw_texts, raw_dev = None, None
    if is_ensemble(lesson.teacher):
        raw_texts, raw_dev = lesson.raw_texts, lesson.data.raw.validation
    texts = kept("transfer", lesson.texts, raw_texts)
    dev = kept("dev", lesson.dev, raw_dev)
    return dataclasses.replace(
        lesson,
        teacher=texts,
        texts=texts.attach(lesson.texts),
        dev=dev.attach(lesson.dev),
    )


def soft_lesson(experiment, lesson):
    """The same, with the answers of another system for the teacher's."""
    texts = keep_soft_labels(
        experiment,
        experiment.folder.path / "soft_labels",
        lesson.soft_labels,
        lesson.texts,
    )
    return dataclasses.replace(
        lesson, teacher=texts, texts=texts.attach(lesson.texts)
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
        if lesson.soft_labels is None:
            logits = kept_lesson(experiment, lesson, lesson.logits_dir)
        else:
            logits = soft_lesson(experiment, lesson)
            # Nothing is known of the rows that choose but their labels.
            of_logits |= {
                "validation": lesson.data.validation,
                "task": lesson.data.task,
                "select_by": None,
            }
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
        patience=experiment.config.patience,
        **{"validation": lesson.dev, "select_by": "loss", **options},
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
    if heads[0] != heads[1] and config.attention == "probabilities":
        raise ValueError(
            "--attention probabilities are compared head by head. Received: "
            f"{heads[0]} heads of the teacher and {heads[1]} of --student "
            f"{config.student}. Use --attention scores, which stands for "
            "relations of queries, keys and values then, or as many heads."
        )
    found.append(
        follow_attention(
            teacher, student, layer_map.top_aligned, feature=config.attention
        )
    )
    return found


def create_student(experiment, teacher):
    """The student of the configuration, as it is before any stage."""
    return experiment.student(first_of(teacher), layer_map=upper_layers)


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
