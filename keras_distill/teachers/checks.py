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
    """Raises if a teacher's classes stand in another order than the data's.

    Args:
        teacher_labels: Sequence of str, the teacher's label names by class
            index, or `None` if it has none.
        task_labels: Sequence of str, the data's, or `None` for regression.
        teacher_name: str. For the message.

    Raises:
        ValueError: If both are known and differ by more than their case.
    """
    if teacher_labels is None or task_labels is None:
        return
    # Hugging Face's teachers have POSITIVE for GLUE's positive.
    theirs = [name.casefold() for name in teacher_labels]
    ours = [name.casefold() for name in task_labels]
    if theirs == ours:
        return
    if sorted(theirs) == sorted(ours):
        difference = "in another order"
        way_out = "Reorder the teacher's output layer"
    else:
        difference = "of other names"
        way_out = (
            "If they mean the same in this order, give them the data's names, "
            "in `id2label` of its config.json or in labels.json of a preset"
        )
    raise ValueError(
        f"The labels of {teacher_name} are {', '.join(teacher_labels)}, but "
        f"those of the data are {', '.join(task_labels)}: {difference}. "
        f"{way_out}, or fine-tune it on this data."
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
    for name, end in describe(model).output_activations.items():
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
