"""What must hold between a teacher and what it teaches."""

import dataclasses

import keras

from keras_distill.features import describe
from keras_distill.features.output_activations import BETWEEN_0_AND_1
from keras_distill.features.output_activations import LOG_SOFTMAX
from keras_distill.features.output_activations import SIGMOID
from keras_distill.features.output_activations import SOFTMAX
from keras_distill.features.output_activations import activations_by_values

_PROBABILITIES = (SOFTMAX, SIGMOID, LOG_SOFTMAX, BETWEEN_0_AND_1)
# What to do with a teacher whose labels have other names.
_OTHER_NAMES = (
    "If they mean the same in this order, give them the data's names, in "
    "`id2label` of its config.json or in labels.json of a preset, or "
    "fine-tune it on this data"
)
# Rows of the first batch that are looked at.
_ROWS = 32


def check_nothing_shared(teacher, student):
    """Raises if training the student would change the teacher.

    Args:
        teacher: `keras.Model`.
        student: `keras.Model`.

    Raises:
        ValueError: If a trainable weight of the student is the teacher's.
    """
    shared = shared_variables(teacher, student.trainable_variables)
    if shared:
        raise ValueError(
            "The student shares trainable weights with the teacher, which "
            f"training would change: {', '.join(shared[:3])}"
            f"{' and more' if len(shared) > 3 else ''}. Set `trainable = "
            "False` on the shared layers, or give the student its own "
            "(`keras_distill.students.copy_layers`)."
        )


def shared_variables(teacher, variables):
    """The paths of those variables that are the teacher's own.

    Args:
        teacher: `keras.Model`.
        variables: Sequence of `keras.Variable`.

    Returns:
        list of str.
    """
    of_teacher = {id(variable) for variable in teacher.variables}
    return [v.path for v in variables if id(v) in of_teacher]


def check_label_names(teacher_labels, task_labels, teacher_name="the teacher"):
    """Raises if a teacher's classes are not the data's, in their order.

    Args:
        teacher_labels: Sequence of str, the teacher's label names by class
            index, or `None` if it has none.
        task_labels: Sequence of str, the data's, or `None` for regression.
        teacher_name: str. For the message.

    Raises:
        ValueError: If both are known and differ by more than their case.
    """
    label_columns(teacher_labels, task_labels, teacher_name)
    check_label_order(teacher_labels, task_labels, teacher_name)


def check_label_order(teacher_labels, task_labels, teacher_name="the teacher"):
    """Raises if a teacher has the data's classes in another order.

    Where the names are others, nobody but the user knows what they mean.

    Args:
        teacher_labels: As `check_label_names` takes them.
        task_labels: As there.
        teacher_name: str. For the message.

    Raises:
        ValueError: If both are known, of the same names, and permuted.
    """
    if None in (teacher_labels, task_labels) or not _is_permuted(
        teacher_labels, task_labels
    ):
        return
    raise ValueError(
        f"{_both_labels(teacher_labels, task_labels, teacher_name)}: in "
        "another order. Put it into the data's order as the one member of an "
        "ensemble, `keras_distill.teachers.TeacherEnsemble([teacher], "
        "label_names=...)`, or fine-tune it on this data."
    )


def label_columns(
    teacher_labels,
    task_labels,
    teacher_name="the teacher",
    way_out=_OTHER_NAMES,
):
    """Where a teacher's outputs stand, for each of the data's classes.

    Args:
        teacher_labels: Sequence of str, the teacher's label names by class
            index, or `None` if it has none.
        task_labels: Sequence of str, the data's, or `None` for regression.
        teacher_name: str. For the message.
        way_out: str. What to do where the names are others, for the message.

    Returns:
        tuple of int, a column of the teacher for each of the data's classes,
        or `None` if both are the same or one is not known. Upper and lower
        case are the same.

    Raises:
        ValueError: If both are known and have other names.
    """
    if teacher_labels is None or task_labels is None:
        return None
    theirs, ours = map(_in_one_case, (teacher_labels, task_labels))
    if theirs == ours:
        return None
    if _is_permuted(teacher_labels, task_labels):
        return tuple(theirs.index(name) for name in ours)
    raise ValueError(
        f"{_both_labels(teacher_labels, task_labels, teacher_name)}: of other "
        f"names. {way_out}."
    )


def _is_permuted(teacher_labels, task_labels):
    theirs, ours = map(_in_one_case, (teacher_labels, task_labels))
    # Names that differ in their case alone cannot be told apart.
    is_one_each = len(set(ours)) == len(ours)
    return theirs != ours and is_one_each and sorted(theirs) == sorted(ours)


def _in_one_case(label_names):
    # Hugging Face's teachers have POSITIVE for GLUE's positive.
    return [name.casefold() for name in label_names]


def _both_labels(teacher_labels, task_labels, teacher_name):
    return (
        f"The labels of {teacher_name} are {', '.join(teacher_labels)}, but "
        f"those of the data are {', '.join(task_labels)}"
    )


def check_trained(score, chance, metric, allow_untrained=False):
    """Raises if a teacher does no better than chance.

    Args:
        score: float. The teacher's score on the dev split.
        chance: float. The score of always giving the most frequent label.
        metric: str. Name of the metric.
        allow_untrained: bool. Whether to go on all the same.

    Raises:
        ValueError: If `score` is not above `chance`.
    """
    if score > chance or allow_untrained:
        return
    raise ValueError(
        f"The teacher's {metric} on the dev split is {score:.4f}, no better "
        f"than chance ({chance:.4f}): its head looks untrained. Fine-tune it "
        "on the task first, or pass --allow-untrained-teacher."
    )


def check_gives_logits(model, model_name="the teacher"):
    """Raises if a model gives probabilities where logits are meant.

    A softmax or sigmoid is found however it is spelled: as an activation, a
    layer or an operation by the graph, in a `Lambda` or a subclassed model by
    the values that come out.

    Args:
        model: `keras.Model`.
        model_name: str. For the message.

    Raises:
        ValueError: If an output ends in probabilities.
    """
    refuse_probabilities(describe(model).output_activations, model_name)


def refuse_probabilities(output_activations, model_name):
    """Raises if one of the activations of outputs gives probabilities."""
    for name, end in output_activations.items():
        if end in _PROBABILITIES:
            raise ValueError(
                f"The output '{name}' of {model_name} ends in a {end}: it "
                "gives probabilities, where logits are distilled and trained. "
                "Build it with `activation=None`, or cut its last layer off: "
                "`keras.Model(model.input, model.layers[-2].output)`."
            )


def check_kind_of_outputs(
    loaded, problem_type, teacher_name="the teacher", gives_logits=True
):
    """Raises if a loaded head's outputs mean something else than the task's.

    Args:
        loaded: `LoadedTeacher`. A new head fits any task.
        problem_type: str. What Hugging Face calls the task's kind of
            problem, such as `"regression"`.
        teacher_name: str. For the message.
        gives_logits: bool. Whether the outputs must be logits, since they
            are to become probabilities. Defaults to `True`.

    Raises:
        ValueError: If it gives probabilities of classes, or was trained for
            another kind of problem.
    """
    if not loaded.has_head:
        return
    if gives_logits:
        check_gives_logits(loaded.classifier, teacher_name)
    if loaded.problem_type not in (None, problem_type):
        raise ValueError(
            f"The head of {teacher_name} was trained for {loaded.problem_type}"
            f" (`problem_type` in its config.json), the task is a "
            f"{problem_type}. Use a teacher of this kind of task, or its "
            "encoder alone."
        )


def check_loss_on_labels(student, loss):
    """Raises if a loss on logits is to train a student of probabilities.

    Args:
        student: `keras_distill.features.ModelDescription`.
        loss: What `compile` got as `loss`: one loss, or a dict or list of
            them by output.

    Raises:
        ValueError: If the student ends in a softmax or sigmoid and the loss
            has `from_logits=True`.
    """
    ends = student.output_activations
    losses = keras.tree.flatten(loss)
    if isinstance(loss, dict):
        pairs = [(ends.get(f"output.{key}"), loss[key]) for key in loss]
    elif len(losses) == len(ends):
        pairs = zip(ends.values(), losses, strict=True)
    else:
        pairs = [(end, losses[0]) for end in ends.values() if losses]
    for end, one in pairs:
        if end in (SOFTMAX, SIGMOID) and _takes_logits(one):
            raise ValueError(
                f"`loss` takes logits, but the student '{student.name}' ends "
                f"in a {end}. Received: a {type(one).__name__} with "
                "from_logits=True. Build the student with `activation=None`, "
                "or give the loss `from_logits=False`."
            )


def check_first_batch(losses, teacher, student, x):
    """Looks at the outputs of models that nothing is known of before.

    Subclassed models that run on no made-up inputs are run on the first batch
    of the training data, and matched again by what they give.

    Args:
        losses: list of `DistillationLoss`.
        teacher: Tuple of `ModelDescription` and `keras.Model`.
        student: The same of the student.
        x: What `fit` got as `x`.

    Raises:
        ValueError: If a loss takes logits and one of them gives
            probabilities.
    """
    seen = [_seen(*teacher, x), _seen(*student, x)]
    if seen != [teacher[0], student[0]]:
        for loss in losses:
            loss.match(*seen)


def _seen(description, model, x):
    """A description with what the first batch shows of the outputs."""
    if not description.is_opaque or description.output_activations:
        return description
    batch = _first_batch(x)
    if batch is None:
        return description
    return dataclasses.replace(
        description, output_activations=activations_by_values(model, batch)
    )


def _first_batch(x):
    """The inputs of the first batch, or `None` if that would use it up."""
    if all(hasattr(part, "shape") for part in keras.tree.flatten(x)):
        return keras.tree.map_structure(lambda part: part[:_ROWS], x)
    if isinstance(x, keras.utils.PyDataset):
        batch = x[0]
    elif hasattr(x, "take"):
        batch = next(iter(x.take(1)), None)
    else:
        return None
    return batch[0] if isinstance(batch, tuple) else batch


def _takes_logits(loss):
    config = getattr(loss, "get_config", dict)()
    return bool(config.get("from_logits"))
