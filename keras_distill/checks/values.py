"""What numbers a model can take, and which row holds another.

On NumPy arrays, once for a data set: a step pays nothing for it. Without
these checks TensorFlow ends deep inside of the graph, and a GPU gives NaN.
"""

import dataclasses

import numpy as np

from keras_distill.checks.columns import in_words

_FINITE = float(np.finfo("float32").max)
# What other libraries put where there is no label.
_NO_LABEL = {
    -1: "-1 marks rows without a label: leave them out",
    -100: "-100 marks what Hugging Face leaves out of the loss: give it a "
    "`sample_weight` of 0 and the label 0",
}


@dataclasses.dataclass(frozen=True)
class Limit:
    """What each of an array's numbers may be.

    Attributes:
        low: float. The least number.
        high: float. The greatest number.
        what: str. What the numbers are, for the message.
        way_out: str. What to do, for the message.
        is_whole: bool. Whether it must be a whole number.
        ignored: Optional number that may be there as well.
        are_classes: bool. Whether the numbers are indices of classes, for
            the message.
    """

    low: float
    high: float
    what: str
    way_out: str = ""
    is_whole: bool = False
    ignored: int | None = None
    are_classes: bool = False

    def check(self, values, name, first_row=0, where=""):
        """Raises unless all numbers are inside of the limit.

        Args:
            values: array whose first axis are rows.
            name: str. The argument's name, for messages.
            first_row: int. The number of the first row, for a batch of many.
            where: str. What follows the number of the row in the message,
                such as `" of batch 3"`.
        """
        values = np.asarray(values)
        if values.dtype.kind not in "iufb":
            raise ValueError(
                f"`{name}` must hold {self._allowed()}. Received: dtype "
                f"{values.dtype}."
            )
        # What is not a number is not inside.
        inside = (values >= self.low) & (values <= self.high)
        if self.is_whole and values.dtype.kind == "f":
            inside &= values == np.floor(values)
        if self.ignored is not None:
            inside |= values == self.ignored
        if inside.all():
            return
        rows = np.flatnonzero(~inside.reshape(len(inside), -1).all(axis=1))
        value = values[rows[0]][~inside[rows[0]]].flat[0]
        counts_from_1 = value == self.high + 1 and not (values == 0).any()
        where = in_words(rows + first_row) + where
        raise self.error(name, value, where, counts_from_1)

    def error(self, name, value, where, counts_from_1=False):
        """The error about a number that is outside."""
        hint = ""
        if self.are_classes:
            hint = _NO_LABEL.get(float(value), "")
            if counts_from_1:
                hint = "classes count from 0: subtract 1"
        return ValueError(
            f"`{name}` must hold {self._allowed()}. Received: {value} in "
            f"{where}{'; ' + hint if hint else ''}. {self.way_out}".rstrip()
        )

    def _allowed(self):
        if self.high == _FINITE:
            return self.what
        kind = "whole numbers" if self.is_whole else "numbers"
        return f"{kind} from {self.low:g} to {self.high:g}, {self.what}"


@dataclasses.dataclass(frozen=True)
class LengthLimit:
    """How many tokens a row of ids may have.

    Attributes:
        high: int. The most tokens.
        what: str. What that is, for the message.
        way_out: str. What to do, for the message.
    """

    high: int
    what: str
    way_out: str

    def check(self, values, name, first_row=0, where=""):
        """Raises if rows are too long, as `Limit.check`."""
        if np.ndim(values) > 1 and np.shape(values)[1] > self.high:
            where = f"row {first_row}{where}"
            raise self.error(name, np.shape(values)[1], where)

    def error(self, name, value, where):
        """The error about a row that is too long."""
        return ValueError(
            f"`{name}` must have rows of at most {self.high} tokens, "
            f"{self.what}. Received: {value} tokens in {where}. {self.way_out}"
        )


def class_limit(num_classes, of, way_out="", ignored=None):
    """That of class indices of a model."""
    return Limit(
        0,
        num_classes - 1,
        f"class indices of {of}",
        way_out,
        is_whole=True,
        ignored=ignored,
        are_classes=True,
    )


def finite_limit(way_out):
    """That of scores."""
    return Limit(-_FINITE, _FINITE, "finite numbers", way_out)


def token_limit(vocabulary_size, of):
    """That of a model's token ids."""
    return Limit(
        0,
        vocabulary_size - 1,
        f"the vocabulary of {of}",
        "Tokenise with the tokenizer that the model was built with.",
        is_whole=True,
    )


def length_limit(num_positions, of):
    """That of the rows that a model has positions for."""
    return LengthLimit(
        num_positions,
        f"the positions of {of}",
        f"Tokenise with a `sequence_length` of {num_positions} or less.",
    )


def check_class_labels(labels, num_classes, name="labels", first_row=0):
    """Raises unless all labels are class indices of a model."""
    of = f"a model of {num_classes} classes"
    class_limit(num_classes, of).check(labels, name, first_row)


def check_scores(labels, name="labels", first_row=0):
    """Raises unless all labels are finite numbers."""
    way_out = "Leave out the rows without a score."
    finite_limit(way_out).check(labels, name, first_row)


def check_several_labels(labels, num_classes, name="labels"):
    """Raises unless rows of several labels have one number for each class."""
    if labels.shape[1] != num_classes:
        raise ValueError(
            f"`{name}` must have a number for each of the {num_classes} "
            f"outputs of the model. Received: {labels.shape[1]} in each row."
        )


def check_token_ids(token_ids, vocabulary_size, name="token_ids", first_row=0):
    """Raises unless all token ids are of a model's vocabulary."""
    of = f"a model of {vocabulary_size} tokens"
    token_limit(vocabulary_size, of).check(token_ids, name, first_row)


def check_length(longest, max_length, name="token_ids", row=0):
    """Raises if the longest row is longer than a model has positions."""
    if longest > max_length:
        raise length_limit(max_length, "the model").error(
            name, longest, f"row {row}"
        )


def num_positions(model):
    """How many tokens a model has positions for, or `None` if any number."""
    lengths = [
        layer.sequence_length
        for layer in model._flatten_layers()
        if type(layer).__name__ == "PositionEmbedding"
    ]
    return min(lengths, default=None)


def num_outputs(model):
    """The width of a model's one output, or `None` if that is not known."""
    width = getattr(model, "num_classes", None)
    if width is None:
        # A model without a fixed input has no such attribute.
        shape = getattr(model, "output_shape", None)
        is_one = isinstance(shape, tuple) and shape
        width = shape[-1] if is_one else None
    return width if isinstance(width, int) else None
