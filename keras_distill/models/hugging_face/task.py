"""Tasks out of folders that `transformers` wrote."""

import warnings

import keras_hub

from keras_distill.models.bert import MultilingualBertPreprocessor
from keras_distill.models.bert_head import MEAN
from keras_distill.models.bert_head import TINYBERT
from keras_distill.models.hugging_face.encoder import load_encoder
from keras_distill.models.hugging_face.head import TEXT
from keras_distill.models.hugging_face.head import head_kind
from keras_distill.models.hugging_face.head import load_head
from keras_distill.models.hugging_face.head import num_labels
from keras_distill.packing import huggingface_tokenizer


def has_head(checkpoint, task_class):
    """Whether a checkpoint's head is that of a task.

    Args:
        checkpoint: `Checkpoint`.
        task_class: class of a KerasHub task.

    Returns:
        bool.
    """
    return head_kind(checkpoint) == _kind_of(task_class)


def load_task(task_class, checkpoint, num_classes=None, **kwargs):
    """Builds a task of a checkpoint's encoder and tokenizer.

    It has the checkpoint's own head, or with `num_classes` a new one; a head
    that is left is warned of.

    Args:
        task_class: `keras_hub.models.TextClassifier`, a class of it, or
            `keras_distill.models.TokenClassifier`.
        checkpoint: `Checkpoint`.
        num_classes: Optional int. Outputs of a new head. Defaults to `None`:
            the checkpoint's own head.
        **kwargs: Further arguments of the task; `dtype` and `load_weights`
            are the encoder's.

    Returns:
        The task.

    Raises:
        ValueError: If the checkpoint has no head of the task's kind and
            `num_classes` is not given, or its weights do not fit.
    """
    task_class = _class_above(checkpoint, task_class)
    is_new = num_classes is not None
    if is_new:
        _warn_of_what_is_new(checkpoint, task_class, kwargs.get("pooling"))
    elif has_head(checkpoint, task_class):
        num_classes = num_labels(checkpoint)
    else:
        raise ValueError(
            f"{checkpoint.folder} has no head of a {task_class.__name__}: it "
            f"was saved as {checkpoint.architecture}. Pass `num_classes` to "
            "start a new head on its encoder."
        )
    if "backbone" not in kwargs:
        kwargs["backbone"] = load_encoder(
            checkpoint,
            kwargs.pop("load_weights", True),
            kwargs.pop("dtype", None),
        )
    if "preprocessor" not in kwargs:
        kwargs["preprocessor"] = load_preprocessor(checkpoint)
    if kwargs.get("head") != TINYBERT:
        kwargs.setdefault("dropout", checkpoint.settings.head_dropout)
    task = task_class(num_classes=num_classes, **kwargs)
    if not is_new:
        load_head(task, checkpoint)
    return task


def load_preprocessor(checkpoint):
    """The preprocessor of a folder, for the class of its encoder.

    Args:
        checkpoint: `Checkpoint`.

    Returns:
        KerasHub text classifier preprocessor.
    """
    tokenizer = huggingface_tokenizer(
        checkpoint.folder, checkpoint.settings.sizes["vocabulary_size"]
    )
    preprocessor_class = _text_classifier(checkpoint).preprocessor_cls
    if preprocessor_class is keras_hub.models.BertTextClassifierPreprocessor:
        # Multilingual BERTs pack pairs as XLM-RoBERTa, whose tokenizer they
        # have.
        if not isinstance(tokenizer, preprocessor_class.tokenizer_cls):
            preprocessor_class = MultilingualBertPreprocessor
    return preprocessor_class(
        tokenizer,
        sequence_length=checkpoint.settings.sizes["max_sequence_length"],
    )


def _kind_of(task_class):
    # Heads that stand on any encoder say it themselves.
    return getattr(task_class, "hugging_face_head", TEXT)


def _class_above(checkpoint, task_class):
    """The class of a task that KerasHub finds for a checkpoint's backbone."""
    found = _text_classifier(checkpoint)
    if issubclass(found, task_class):
        return found
    if issubclass(task_class, found):
        return task_class
    if _kind_of(task_class) == TEXT:
        raise ValueError(
            f"{checkpoint.folder} holds a {checkpoint.config['model_type']}, "
            f"on which no {task_class.__name__} stands. Use "
            "keras_hub.models.TextClassifier."
        )
    return task_class


def _text_classifier(checkpoint):
    if checkpoint.is_built_in:
        return checkpoint.family.keras_hub_text_classifier
    return checkpoint.family.text_classifier


def _warn_of_what_is_new(checkpoint, task_class, pooling):
    kind = head_kind(checkpoint)
    if kind is not None:
        warnings.warn(
            f"The head of the {checkpoint.architecture} in "
            f"{checkpoint.folder} is left: a {task_class.__name__} gets a new "
            "one, which is not trained.",
            stacklevel=3,
        )
    reads_pooler = _kind_of(task_class) == TEXT and pooling != MEAN
    # MobileBERT's head reads the first token itself where it has none.
    is_bert = checkpoint.config["model_type"] == "bert"
    if reads_pooler and is_bert and not checkpoint.has_pooler:
        warnings.warn(
            f"The {checkpoint.architecture} in {checkpoint.folder} has no "
            f"pooler: that of the {task_class.__name__} is new and not "
            "trained.",
            stacklevel=3,
        )
