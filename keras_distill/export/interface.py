"""What a served classifier takes and gives, checked against the classifier."""

import dataclasses

import keras
import keras_hub

from keras_distill.checks.arguments import check_int
from keras_distill.models import TokenClassifier
from keras_distill.packing import layout_of

# Probabilities of classes that exclude each other, and of labels that do not.
_SOFTMAX = keras.activations.softmax
_SIGMOID = keras.activations.sigmoid
# What labels that do not exclude each other are learnt by.
_BINARY_LOSSES = (
    keras.losses.BinaryCrossentropy,
    keras.losses.BinaryFocalCrossentropy,
)
_BINARY_FUNCTIONS = (
    keras.losses.binary_crossentropy,
    keras.losses.binary_focal_crossentropy,
)


@dataclasses.dataclass(frozen=True)
class Interface:
    """Names and sizes of a served classifier.

    Args:
        text_columns: tuple of one or two strings. Names of the text inputs.
        label_names: tuple of strings in the order of the outputs, or `None`
            for regression.
        sequence_length: int. Longest packed row, special tokens included.
        multi_label: bool. Whether each label has a probability of its own,
            rather than a share of one.
    """

    text_columns: tuple
    label_names: tuple | None
    sequence_length: int
    multi_label: bool = False

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
            task: optional object with `label_names` and `text_columns`, such
                as a `keras_distill.tasks.Task`; and, if it says so,
                `multi_label`.
            label_names: optional sequence of strings. Defaults to the task's.
            text_columns: optional sequence of strings. Defaults to the task's,
                else to `("text",)`.
            sequence_length: optional int. Defaults to the preprocessor's,
                which is that of the training, whatever a task says.
            multi_label: optional bool. Defaults to the task's, else to what
                the classifier shows.

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
            if multi_label is None:
                multi_label = getattr(task, "multi_label", None)
        if text_columns is None:
            text_columns = ("text",)
        if sequence_length is None:
            sequence_length = classifier.preprocessor.sequence_length
        _check_label_names(label_names, classifier.output_shape[-1])
        if label_names is not None:
            _check_activation(classifier, len(label_names))
        _check_text_columns(text_columns, classifier)
        _check_sequence_length(sequence_length, classifier, len(text_columns))
        multi_label = _multi_label(multi_label, classifier, label_names)
        return cls(
            text_columns=tuple(text_columns),
            label_names=None if label_names is None else tuple(label_names),
            sequence_length=sequence_length,
            multi_label=multi_label,
        )


def _multi_label(asked, classifier, label_names):
    """Whether labels are independent, as asked or as the classifier shows."""
    if label_names is None:
        if asked:
            raise ValueError(
                "`label_names` is missing: `multi_label=True` gives each label "
                "a probability. Pass one name for each output, in their order."
            )
        return False
    shown = _shows_multi_label(classifier, len(label_names))
    if asked is None:
        return _learnt_multi_label(classifier) if shown is None else shown
    if shown is not None and asked != shown:
        raise ValueError(
            f"`multi_label={asked}` does not fit `classifier`, a "
            f"{type(classifier).__name__} of {len(label_names)} outputs with "
            f"activation={_name(classifier.activation)!r}. Leave "
            "`multi_label` out."
        )
    return bool(asked)


def _shows_multi_label(classifier, num_labels):
    """What the outputs themselves say; `None` if they can be either."""
    if isinstance(classifier, TokenClassifier):
        return False
    # A share of one needs another label to share with.
    if num_labels == 1 or classifier.activation is _SIGMOID:
        return True
    if classifier.activation is _SOFTMAX:
        return False
    return None


def _learnt_multi_label(classifier):
    """Whether the loss that a classifier is compiled with is that of labels
    which do not exclude each other."""
    loss = getattr(classifier, "loss", None)
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    return isinstance(loss, _BINARY_LOSSES) or loss in _BINARY_FUNCTIONS


def _name(activation):
    return getattr(activation, "__name__", type(activation).__name__)


def _check_classifier(classifier):
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel is written by Keras's TensorFlow backend. Received "
            f"the backend {keras.backend.backend()!r}; set KERAS_BACKEND="
            "tensorflow and load the student again."
        )
    if not isinstance(
        classifier, (keras_hub.models.TextClassifier, TokenClassifier)
    ):
        raise ValueError(
            "`classifier` must be a keras_hub.models.TextClassifier or a "
            "keras_distill.models.TokenClassifier. Received an object of type "
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


def _check_activation(classifier, num_labels):
    """Raises for outputs that are neither logits nor probabilities."""
    allowed = [keras.activations.linear]
    if num_labels > 1:
        allowed.append(_SOFTMAX)
    if not isinstance(classifier, TokenClassifier):
        allowed.append(_SIGMOID)
    if classifier.activation not in allowed:
        *some, last = [_name(activation) for activation in allowed[1:]]
        names = f"{', '.join(some)} or {last}" if some else last
        raise ValueError(
            f"`classifier` must return logits, or probabilities by {names}, "
            f"for {num_labels} label_names. Received one with "
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


def _check_text_columns(text_columns, classifier):
    if isinstance(classifier, TokenClassifier) and len(text_columns) != 1:
        raise ValueError(
            "`text_columns` must be one name, since a token classifier tags "
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
