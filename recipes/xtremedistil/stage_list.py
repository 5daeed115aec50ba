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
class Source:
    """What a student learns from without labels.

    Attributes:
        teacher: KerasHub task, or a `keras_distill.teachers.TeacherCache`.
        texts: Tokenised examples; of a cache, with its features attached.
        dev: The same of the dev split, whose labels are not read.
    """

    teacher: object
    texts: object
    dev: object


def kept_source(
    experiment, path, teacher, texts, dev, features="logits", **options
):
    """A `Source` whose features of the teacher are computed once."""
    of_texts, of_dev = (
        experiment.cache(path / name, teacher, examples, [features], **options)
        for name, examples in (("transfer", texts), ("dev", dev))
    )
    return Source(of_texts, of_texts.attach(texts), of_dev.attach(dev))


def distillation_stages(
    experiment, data, texts, teacher, student, logits_dir, prefix=""
):
    """How a transformer student learns a task from a teacher.

    Args:
        experiment: `recipes.common.experiment.Experiment`.
        data: `recipes.common.task_data.TaskData`, tokenised.
        texts: What is learnt from without labels, tokenised.
        teacher: KerasHub task.
        student: KerasHub task.
        logits_dir: `pathlib.Path` of the folder for the teacher's logits.
        prefix: str. What the stages' names begin with. Defaults to `""`.

    Returns:
        list of `keras_distill.stages.Stage`.
    """
    config = experiment.config
    steps = [
        (name, trained, _rate(config, trained))
        for name, trained in students.unfreezing(student, config.unfreezing)
    ]
    listed = []
    if config.representation_epochs:
        listed.append(
            distilling(
                experiment,
                f"{prefix}representation",
                student,
                Source(teacher, texts, data.validation),
                representation_losses(config, teacher, student),
                config.representation_epochs,
                rate=config.representation_rate,
            )
        )
    if config.logits_epochs:
        logits = kept_source(
            experiment, logits_dir, teacher, texts, data.validation
        )
        listed += [
            distilling(
                experiment,
                f"{prefix}logits-{name}",
                student,
                logits,
                losses.LogitsDistillation(loss="mse"),
                config.logits_epochs,
                rate=rate,
                trainable=trained,
            )
            for name, trained, rate in steps
        ]
    if config.labels_epochs:
        listed += [
            experiment.label_stage(
                f"{prefix}labels-{name}",
                student,
                data,
                rate,
                config.labels_epochs,
                trainable=trained,
            )
            for name, trained, rate in steps
        ]
    return listed


def distilling(
    experiment, name, student, source, distillation_losses, epochs, **options
):
    """Training without labels, until the loss on the dev split is least."""
    return experiment.stage(
        name,
        student,
        source.texts,
        epochs=epochs,
        teacher=source.teacher,
        distillation_losses=distillation_losses,
        student_loss_weight=0,
        validation=source.dev,
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
