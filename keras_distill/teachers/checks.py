"""What must hold between a teacher and what it teaches."""


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
        ValueError: If both are known and differ.
    """
    if teacher_labels is None or task_labels is None:
        return
    if list(teacher_labels) == list(task_labels):
        return
    same_names = sorted(teacher_labels) == sorted(task_labels)
    difference = "in another order" if same_names else "of other names"
    raise ValueError(
        f"The labels of {teacher_name} are {', '.join(teacher_labels)}, but "
        f"those of the data are {', '.join(task_labels)}: {difference}. "
        "Reorder the teacher's output layer, or fine-tune it on this data."
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
