"""Writes a classifier as a folder that KerasHub loads again."""

import json
import pathlib

import keras

from keras_distill.export.new_folder import new_folder
from keras_distill.saving import swapped_optimizer
from keras_distill.teachers.load_teacher import LABELS_FILE


def to_preset(classifier, path, label_names=None):
    """Writes a classifier as a KerasHub preset, with its label names.

    The folder holds weights, tokenizer and head, so that both
    `keras_hub.models.TextClassifier.from_preset(path)` and
    `keras_distill.teachers.load_teacher(path, ...)` give the classifier back.
    It takes the place of an earlier one as a whole.

    Args:
        classifier: KerasHub text classifier with a preprocessor.
        path: Path of the folder to write.
        label_names: Optional sequence of str by class index. Written to
            `labels.json`, by which a later user sees the order of classes.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: If `label_names` does not name every class.

    Example:

    ```python
    import keras_distill

    teacher = keras_distill.teachers.load_teacher("minilm", 2, 64)
    keras_distill.export.to_preset(
        teacher.classifier, "runs/mine/teacher", ["no", "yes"]
    )
    ```
    """
    path = pathlib.Path(path)
    if label_names is not None and len(label_names) != classifier.num_classes:
        raise ValueError(
            f"`label_names` must name {classifier.num_classes} classes. "
            f"Received: label_names={list(label_names)}"
        )
    with new_folder(path) as folder:
        # KerasHub loads a task with a new Adam, and finds no place for the
        # state of one that has trained.
        with swapped_optimizer(classifier, keras.optimizers.Adam()):
            classifier.save_to_preset(str(folder))
        if label_names is not None:
            text = json.dumps(list(label_names), ensure_ascii=False)
            (folder / LABELS_FILE).write_text(text, encoding="utf-8")
    return path


def to_encoder_preset(task, path):
    """Writes the encoder and the tokenizer of a task, without its head.

    What is left belongs to no task. `keras_hub.models.Backbone.from_preset`
    gives the encoder back; `keras_hub.models.TextClassifier.from_preset(path,
    num_classes=...)` and `keras_distill.teachers.load_teacher(path, ...)` put
    a new head on it. The folder takes the place of an earlier one as a whole.

    Args:
        task: KerasHub task with a preprocessor.
        path: Path of the folder to write.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: If the task has no preprocessor.

    Example:

    ```python
    import keras_distill

    loaded = keras_distill.teachers.load_teacher("minilm", 2, 64)
    keras_distill.export.to_encoder_preset(loaded.classifier, "encoder")
    ```
    """
    if task.preprocessor is None:
        raise ValueError(
            "`task` must have a preprocessor, whose tokenizer belongs to its "
            f"encoder. Received: {task.name} without one."
        )
    path = pathlib.Path(path)
    with new_folder(path) as folder:
        task.backbone.save_to_preset(str(folder))
        task.preprocessor.save_to_preset(str(folder))
    return path
