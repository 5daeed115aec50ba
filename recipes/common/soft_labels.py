"""What another system said of the rows, followed in place of a teacher."""

import numpy as np

from keras_distill import teachers


def read_soft_labels(config, task):
    """The soft labels of a configuration.

    Args:
        config: `Config` with `SoftLabelOptions`.
        task: `keras_distill.tasks.Task`.

    Returns:
        `keras_distill.teachers.SoftLabels` in the order of the task's
        classes, or `None` where none are asked for.

    Raises:
        ValueError: If they are none of this task.
    """
    if config.soft_labels is None:
        return None
    if not task.answers_texts:
        raise ValueError(
            "--soft-labels are one answer for each text. Received: "
            f"--soft-labels {config.soft_labels} and {task.name}, which asks "
            "for several."
        )
    try:
        found = teachers.SoftLabels.read(
            config.soft_labels,
            task.label_names,
            multi_label=task.activation == "sigmoid",
        )
    except ValueError as error:
        raise ValueError(f"--soft-labels: {error}") from error
    width = np.shape(found.values)[1]
    if width != task.num_outputs:
        raise ValueError(
            f"--soft-labels: {config.soft_labels} must have {task.num_outputs} "
            f"numbers for each row of {task.name}. Received: {width}."
        )
    return found


def keep_soft_labels(
    experiment, path, soft_labels, rows, missing_from_labels=False
):
    """A teacher's cache of what another system said of tokenised rows.

    Those of other rows are left, as where a run takes a part of a split. Of
    rows that nothing was said of, their labels are kept if that is asked for.
    """
    wanted = set(map(str, rows.ids.tolist()))
    is_wanted = np.array([str(one) in wanted for one in soft_labels.ids])
    if is_wanted.any() and not is_wanted.all():
        experiment.folder.say(
            f"{(~is_wanted).sum():,} of {len(soft_labels):,} soft labels are "
            "of rows that nothing is learned from"
        )
        soft_labels = soft_labels.select(np.flatnonzero(is_wanted))
    try:
        if missing_from_labels:
            answered = len(soft_labels)
            soft_labels = soft_labels.filled(rows)
            experiment.folder.say(
                f"{len(soft_labels) - answered:,} of {len(rows):,} rows have "
                "no soft labels and are learned from their labels"
            )
        return teachers.TeacherCache.from_soft_labels(
            path,
            soft_labels,
            rows,
            quiet=experiment.folder.quiet,
            replace=not experiment.folder.has_trained(),
        )
    except ValueError as error:
        raise ValueError(f"--soft-labels: {error}") from error
