"""What a served classifier takes and gives, checked against the classifier."""

import dataclasses

import keras
import keras_hub

from keras_distill.arguments import check_int
from keras_distill.export.packing import special_token_count
from keras_distill.models import TokenClassifier


@dataclasses.dataclass(frozen=True)
class Interface:
    """Names and sizes of a served classifier.

    Args:
        text_columns: tuple of one or two strings. Names of the text inputs.
        label_names: tuple of strings in the order of the outputs, or `None`
            for regression.
        sequence_length: int. Longest packed row, special tokens included.
    """

    text_columns: tuple
    label_names: tuple | None
    sequence_length: int

    @classmethod
    def of(
        cls,
        classifier,
        task=None,
        label_names=None,
        text_columns=None,
        sequence_length=None,
    ):
        """The interface that the arguments ask for, else the task's.

        Args:
            classifier: a `keras_hub.models.TextClassifier`.
            task: optional object with `label_names`, `text_columns` and
                `sequence_length`, such as a `keras_distill.tasks.Task`.
            label_names: optional sequence of strings. Defaults to the task's.
            text_columns: optional sequence of strings. Defaults to the task's,
                else to `("text",)`.
            sequence_length: optional int. Defaults to the task's, else to the
                preprocessor's.

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
            if sequence_length is None:
                sequence_length = task.sequence_length
        if text_columns is None:
            text_columns = ("text",)
        if sequence_length is None:
            sequence_length = classifier.preprocessor.sequence_length
        _check_label_names(label_names, classifier.output_shape[-1])
        _check_text_columns(text_columns, classifier)
        _check_sequence_length(sequence_length, classifier, len(text_columns))
        return cls(
            text_columns=tuple(text_columns),
            label_names=None if label_names is None else tuple(label_names),
            sequence_length=sequence_length,
        )


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
    tokenizer = classifier.preprocessor.tokenizer
    if not isinstance(tokenizer, keras_hub.tokenizers.WordPieceTokenizer):
        raise ValueError(
            "`classifier` must have a WordPiece tokenizer, as BERT and "
            f"DistilBERT do. Received a {type(tokenizer).__name__}; serve its "
            "token ids with `classifier.export(path)`."
        )
    if classifier.activation is not keras.activations.linear:
        raise ValueError(
            "`classifier` must return logits. Received one with "
            f"activation={classifier.activation.__name__!r}; build it with "
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
    special = special_token_count(packer_of(classifier.preprocessor), num_texts)
    shortest = special + num_texts
    if not shortest <= sequence_length <= longest:
        raise ValueError(
            f"`sequence_length` must lie between {shortest} (a token of each "
            f"text and {special} special ones) and {longest} (the model's "
            f"maximum). Received: {sequence_length}."
        )


def packer_of(preprocessor):
    """The packer of a preprocessor, which KerasHub makes on first use."""
    if not preprocessor.built:
        preprocessor.build(None)
    return preprocessor.packer
