"""Makes `Examples` of rows of texts and labels, and says where one is bad."""

import math

from keras_distill.tasks.examples import Examples


def read_examples(path, rows, text_columns, parse_label=None):
    """Collects the rows of a file.

    Args:
        path: `pathlib.Path`. The file, for messages.
        rows: iterable of pairs of a line's number and the list of its
            values: the texts and, with `parse_label`, the label.
        text_columns: sequence of strings. The names of the texts.
        parse_label: function from a label as the file spells it to a number,
            which raises a ValueError. Defaults to `None`: no labels.

    Returns:
        `Examples`.

    Raises:
        ValueError: an empty text or a bad label, with the file and the line.
    """
    texts = tuple([] for _ in text_columns)
    labels = []
    for line, values in rows:
        try:
            for place, column in enumerate(texts):
                column.append(check_text(values[place], text_columns[place]))
            if parse_label is not None:
                labels.append(parse_label(values[-1]))
        except ValueError as error:
            raise ValueError(f"{path}:{line}: {error}") from error
    return Examples(texts, labels if parse_label is not None else None)


def check_text(text, column):
    """Returns a text, which must not be empty.

    Args:
        text: string.
        column: string. The name of its column.
    """
    if not text.strip():
        raise ValueError(
            f"the text in column {column!r} is empty; fill it in or delete "
            "the line."
        )
    return text


def class_parser(label_names):
    """Returns a function from a label as a file spells it to its class index.

    Some files write names and some write numbers; both are read.

    Args:
        label_names: sequence of strings in the order of the class indices.
    """
    indices = {str(index): index for index in range(len(label_names))}
    # A name that is a number is a name.
    indices |= {name: index for index, name in enumerate(label_names)}
    allowed = ", ".join(
        f"{name} (or {index})" for index, name in enumerate(label_names)
    )

    def parse(value):
        if value not in indices:
            raise ValueError(
                f"unknown label {value!r}; the labels are: {allowed}."
            )
        return indices[value]

    return parse


def score_parser(lowest=-math.inf, highest=math.inf):
    """Returns a function from a score as a file spells it to a number.

    Args:
        lowest: float. The lowest score. Defaults to none.
        highest: float. The highest score. Defaults to none.
    """
    wanted = "a finite number"
    if math.isfinite(highest):
        wanted = f"a number from {lowest:g} to {highest:g}"

    def parse(value):
        try:
            score = float(value)
        except ValueError:
            score = math.nan
        if not (math.isfinite(score) and lowest <= score <= highest):
            raise ValueError(f"the score {value!r} is not {wanted}.")
        return score

    return parse
