"""What a served classifier takes and gives, checked against the classifier."""

import dataclasses

import keras

from keras_distill.checks.arguments import check_int
from keras_distill.models import MultiTaskModel
from keras_distill.packing import layout_of
from keras_distill.tasks.kind_of_model import kind_of_model
from keras_distill.tasks.kinds import KINDS


@dataclasses.dataclass(frozen=True)
class Interface:
    """Names and sizes of a served classifier.

    Args:
        text_columns: tuple of one or two strings. Names of the text inputs.
        label_names: tuple of strings in the order of the outputs, or `None`
            for regression.
        sequence_length: int. Longest packed row, special tokens included.
        kind: the kind of task, a subclass of `keras_distill.tasks.Task`.
    """

    text_columns: tuple
    label_names: tuple | None
    sequence_length: int
    kind: type

    @classmethod
    def of(
        cls,
        classifier,
        task=None,
        label_names=None,
        text_columns=None,
        sequence_length=None,
        multi_label=None,
    ):
        """The interface that the arguments ask for, else the task's.

        Args:
            classifier: a `keras_hub.models.TextClassifier`.
            task: optional `keras_distill.tasks.Task`.
            label_names: optional sequence of strings. Defaults to the task's.
            text_columns: optional sequence of strings. Defaults to the task's,
                else to `("text",)`.
            sequence_length: optional int. Defaults to the preprocessor's,
                which is that of the training, whatever a task says.
            multi_label: optional bool. Defaults to what the task is, else to
                what the classifier shows.

        Returns:
            An `Interface` that fits the classifier.

        Raises:
            ValueError: the classifier cannot be served, or an argument does
                not fit it.
        """
        _check_classifier(classifier)
        if task is not None:
            if label_names is None:
                label_names = task.label_names
            if text_columns is None:
                text_columns = task.text_columns
        if text_columns is None:
            text_columns = ("text",)
        if sequence_length is None:
            sequence_length = classifier.preprocessor.sequence_length
        _check_label_names(label_names, classifier.output_shape[-1])
        if task is None or multi_label is not None:
            kind = kind_of_model(classifier, label_names, multi_label)
        else:
            kind = type(task)
        _check_kind(classifier, kind, label_names)
        _check_text_columns(text_columns, kind, classifier)
        _check_sequence_length(sequence_length, classifier, len(text_columns))
        return cls(
            text_columns=tuple(text_columns),
            label_names=None if label_names is None else tuple(label_names),
            sequence_length=sequence_length,
            kind=kind,
        )

    def served_model(self, classifier):
        """The functions that a SavedModel of a classifier holds."""
        return self.kind.served_model(
            classifier,
            self.text_columns,
            self.label_names,
            self.sequence_length,
        )


def _name(activation):
    return getattr(activation, "__name__", type(activation).__name__)


def _check_classifier(classifier):
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel is written by Keras's TensorFlow backend. Received "
            f"the backend {keras.backend.backend()!r}; set KERAS_BACKEND="
            "tensorflow and load the student again."
        )
    if isinstance(classifier, MultiTaskModel):
        raise ValueError(
            "`classifier` must be the model of one task. Received: a "
            "MultiTaskModel. Pass one of its `task_models`, or write all by "
            "`to_multi_task_saved_model`."
        )
    served = tuple({kind.model_class: None for kind in KINDS.values()})
    if not isinstance(classifier, served):
        names = " or a ".join(model.__name__ for model in served)
        raise ValueError(
            f"`classifier` must be a {names}. Received an object of type "
            f"{type(classifier).__name__}; of a distiller pass "
            "`distiller.student`."
        )
    if classifier.preprocessor is None:
        raise ValueError(
            f"`classifier` {classifier.name!r} has no preprocessor, so it "
            "cannot take raw text. Set `classifier.preprocessor`, for BERT to "
            "a keras_hub.models.BertTextClassifierPreprocessor."
        )
    # Raises for a tokenizer or a preprocessor that cannot be served.
    layout_of(classifier.preprocessor)


def _check_kind(classifier, kind, label_names):
    """Raises for a model of another kind, or that gives neither logits nor
    probabilities."""
    if not isinstance(classifier, kind.model_class):
        raise ValueError(
            f"`task` is of the kind {kind.kind}, which has models of the class "
            f"{kind.model_class.__name__}. Received: `classifier`, a "
            f"{type(classifier).__name__}."
        )
    allowed = [keras.activations.get(name) for name in (None, kind.activation)]
    if label_names is not None and classifier.activation not in allowed:
        raise ValueError(
            "`classifier` must return logits, or probabilities by "
            f"{kind.activation}, for {len(label_names)} label_names of the "
            f"kind {kind.kind}. Received one with "
            f"activation={_name(classifier.activation)!r}; build it with "
            "activation=None and give it the same weights."
        )


def _check_label_names(label_names, num_outputs):
    if label_names is None:
        if num_outputs > 1:
            raise ValueError(
                f"`label_names` is missing: `classifier` has {num_outputs} "
                "outputs. Pass one name for each, in their order, or a `task`."
            )
        return
    if isinstance(label_names, str) or not all(
        isinstance(name, str) and name and len(name.splitlines()) == 1
        for name in label_names
    ):
        raise ValueError(
            "`label_names` must be a list of non-empty strings without line "
            f"breaks. Received: {label_names!r}."
        )
    has_order = not isinstance(label_names, (set, frozenset, dict))
    if not has_order or len(set(label_names)) < len(label_names):
        raise ValueError(
            "`label_names` must be a list that names each output once, in "
            f"their order. Received: {label_names!r}."
        )
    if len(label_names) != num_outputs:
        raise ValueError(
            f"`label_names` must hold one name for each of the {num_outputs} "
            f"outputs of `classifier`. Received {len(label_names)}: "
            f"{list(label_names)}."
        )


def _check_text_columns(text_columns, kind, classifier):
    if len(text_columns) == 1 and getattr(classifier, "num_texts", 1) == 2:
        raise ValueError(
            "`text_columns` must be two names, since a "
            f"{type(classifier).__name__} takes pairs. Received: "
            f"{text_columns!r}."
        )
    if kind.most_texts == 1 and len(text_columns) != 1:
        raise ValueError(
            f"`text_columns` must be one name, since a task of {kind.kind} has "
            f"one text. Received: {text_columns!r}."
        )
    if (
        isinstance(text_columns, str)
        or len(text_columns) not in (1, 2)
        or len(set(text_columns)) != len(text_columns)
        or not all(
            isinstance(column, str) and column.isidentifier()
            for column in text_columns
        )
    ):
        raise ValueError(
            "`text_columns` must be a list of one or two different names made "
            "of letters, digits and underscores. Received: "
            f"{text_columns!r}."
        )


def _check_sequence_length(sequence_length, classifier, num_texts):
    check_int("sequence_length", sequence_length, minimum=1)
    longest = classifier.backbone.max_sequence_length
    special = layout_of(classifier.preprocessor).num_special_tokens(num_texts)
    shortest = special + num_texts
    if not shortest <= sequence_length <= longest:
        raise ValueError(
            f"`sequence_length` must lie between {shortest} (a token of each "
            f"text and {special} special ones) and {longest} (the model's "
            f"maximum). Received: {sequence_length}."
        )
