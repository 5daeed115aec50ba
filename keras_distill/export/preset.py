"""Writes a classifier as a folder that KerasHub loads again."""

import collections.abc
import json
import numbers

import keras
import keras_hub

from keras_distill.checks.model_of import model_of
from keras_distill.export.model_card import MODEL_CARD
from keras_distill.export.model_card import write_model_card
from keras_distill.export.new_folder import FolderFormat
from keras_distill.export.new_folder import new_folder
from keras_distill.io.saving import local_path
from keras_distill.keras_patches import resolved_policies
from keras_distill.models import MultiTaskModel
from keras_distill.models.precision import quantized_layers
from keras_distill.models.precision import write_precision
from keras_distill.models.saving import swapped_optimizer
from keras_distill.teachers.load_teacher import LABELS_FILE

_PRESET = FolderFormat(
    name="KerasHub preset",
    first="config.json",
    parts=(
        "config.json",
        "metadata.json",
        "model.weights.h5",
        "model.weights.json",
        "model_*.weights.h5",
        "preprocessor.json",
        "task.json",
        "task.weights.h5",
        "tokenizer.json",
        LABELS_FILE,
    ),
    spared=(MODEL_CARD,),
)


def to_preset(classifier, path, label_names=None, overwrite=False):
    """Writes a classifier as a KerasHub preset, with its label names.

    The folder holds weights, tokenizer and head, so that both
    `keras_hub.models.TextClassifier.from_preset(path)` and
    `keras_distill.teachers.load_teacher(path, ...)` give the classifier back,
    computing in the precision that it had: mixed, 16 bits or quantized. Its
    `README.md` says what it is and how it is loaded.

    A preset that was written so before is replaced as a whole. Anything else
    that is in the folder stays: another's preset is refused unless
    `overwrite`, and files of other names, or a `README.md` of your own, are
    never touched.

    Args:
        classifier: KerasHub text classifier, or
            `keras_distill.models.TokenClassifier`. Without a preprocessor it
            is read back without one.
        path: Path of the folder to write. `~` is your home, and a link is
            followed.
        label_names: Optional sequence of str by class index; integers are
            written as str. Written to `labels.json`, by which a later user
            sees the order of classes.
        overwrite: bool. Whether to write to a folder that holds what this
            function did not write, and to replace files of a preset there.
            Defaults to `False`.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: If `classifier` is no KerasHub classifier, `label_names`
            does not name every class, or the folder holds what may not be
            replaced.
        OSError: If the disk is full or cannot be written. What was there
            stays.

    Example:

    ```python
    import keras_distill

    teacher = keras_distill.teachers.load_teacher("minilm", 2, 64)
    keras_distill.export.to_preset(
        teacher.classifier, "runs/mine/teacher", ["no", "yes"]
    )
    ```
    """
    classifier = model_of(classifier)
    _check_task(classifier, "classifier")
    path = local_path(path)
    if label_names is not None:
        label_names = plain_names(label_names, classifier.num_classes)
    with new_folder(path, _PRESET, overwrite) as folder:
        # KerasHub loads a task with a new Adam, and finds no place for the
        # state of one that has trained.
        optimizer = keras.optimizers.Adam()
        with (
            swapped_optimizer(classifier, optimizer),
            resolved_policies(classifier),
        ):
            classifier.save_to_preset(str(folder))
        write_precision(folder, classifier)
        if label_names is not None:
            text = json.dumps(label_names, ensure_ascii=False)
            # Half a character, as damaged texts have, is read back as it is.
            (folder / LABELS_FILE).write_text(text, "utf-8", "surrogatepass")
        write_model_card(folder, path.name, classifier, label_names)
    return path


def to_encoder_preset(task, path, overwrite=False):
    """Writes the encoder and the tokenizer of a task, without its head.

    What is left belongs to no task. `keras_hub.models.Backbone.from_preset`
    gives the encoder back; `keras_hub.models.TextClassifier.from_preset(path,
    num_classes=...)` and `keras_distill.teachers.load_teacher(path, ...)` put
    a new head on it. KerasHub loads an encoder in Keras's own precision,
    `load_teacher` in the one that it had.

    What is in the folder is treated as `to_preset` does.

    Args:
        task: KerasHub task with a preprocessor.
        path: Path of the folder to write. `~` is your home, and a link is
            followed.
        overwrite: bool. As in `to_preset`. Defaults to `False`.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: If the task has no preprocessor, its encoder is quantized,
            or the folder holds what may not be replaced.
        OSError: If the disk is full or cannot be written. What was there
            stays.

    Example:

    ```python
    import keras_distill

    loaded = keras_distill.teachers.load_teacher("minilm", 2, 64)
    keras_distill.export.to_encoder_preset(loaded.classifier, "encoder")
    ```
    """
    task = model_of(task)
    _check_task(task, "task")
    if task.preprocessor is None:
        raise ValueError(
            "`task` must have a preprocessor, whose tokenizer belongs to its "
            f"encoder. Received: {task.name} without one."
        )
    if quantized_layers(task.backbone):
        raise ValueError(
            "`task` must have an encoder that is not quantized, since KerasHub "
            "loads an encoder without a head in Keras's own precision. "
            f"Received: {task.name}, quantized. Write it before it is "
            "quantized, or with its head by `to_preset`."
        )
    path = local_path(path)
    with new_folder(path, _PRESET, overwrite) as folder:
        task.backbone.save_to_preset(str(folder))
        task.preprocessor.save_to_preset(str(folder))
        write_precision(folder, task)
        write_model_card(folder, path.name, task, with_head=False)
    return path


def _check_task(task, argument):
    if isinstance(task, keras_hub.models.Task):
        return
    way_out = "Write it as a file: `model.save('model.keras')`."
    if isinstance(task, MultiTaskModel):
        way_out += " Each of its `task_models` is a preset alone."
    if isinstance(task, keras_hub.models.Backbone):
        way_out = "An encoder alone is written by its own `save_to_preset`."
    if hasattr(task, "student"):
        way_out = "Of a distiller pass `distiller.student`."
    raise ValueError(
        f"`{argument}` must be a KerasHub task, such as a TextClassifier. "
        f"Received an object of type {type(task).__name__}. {way_out}"
    )


def plain_names(label_names, num_classes):
    """Label names as a list of str, one for each class."""
    if isinstance(label_names, (str, collections.abc.Mapping, set, frozenset)):
        raise ValueError(
            "`label_names` must be a list of names by class index. Received: "
            f"label_names={label_names!r}"
        )
    label_names = list(label_names)
    odd = [name for name in label_names if not _is_name(name)]
    if odd:
        raise ValueError(
            "`label_names` must be names or integers. Received: "
            f"{odd[0]!r} among {label_names}"
        )
    names = [str(name) for name in label_names]
    if len(names) != num_classes:
        raise ValueError(
            f"`label_names` must name {num_classes} classes. "
            f"Received: label_names={names}"
        )
    if len(set(names)) < len(names):
        raise ValueError(
            "`label_names` must give each class a name of its own. Received: "
            f"label_names={names}"
        )
    return names


def _is_name(name):
    if isinstance(name, bool):
        return False
    return isinstance(name, (str, numbers.Integral))
