"""Makes `Examples` of rows of texts and labels, and says where one is bad."""

import ast
import math

from keras_distill.checks.columns import is_missing
from keras_distill.data.examples import Examples

# What files hold where a row has no label: SNLI's "-", the -1 of unlabelled
# splits, and what an empty cell of a table is written as.
_NO_LABELS = frozenset(
    ("", "-", "-1", "-1.0", "_", "nan", "NaN", "None", "null", "NA", "<NA>")
)

# What stands between several labels in one cell of a file, unless it is said.
SEPARATORS = "|;,"


def read_examples(
    rows,
    text_columns,
    bad,
    parse_label=None,
    may_lack_labels=False,
    read_id=None,
    may_be_empty=False,
):
    """Collects the rows of a file.

    Args:
        rows: iterable of pairs of a line's number and the list of its
            values: the texts, with `read_id` the row's id and, with
            `parse_label`, the label.
        text_columns: sequence of strings. The names of the texts.
        bad: `BadRows` of the file. What happens to an empty text or a bad
            label.
        parse_label: function from a label as the file spells it to a number,
            which raises a ValueError. Defaults to `None`: no labels.
        may_lack_labels: bool. Whether all rows may say that they have no
            label, by `-` or `-1`; then the examples have none. Defaults to
            `False`.
        read_id: function from a row's id as the file spells it to an int or
            a string, which raises a ValueError; each must be there once.
            Defaults to `None`: rows are counted.
        may_be_empty: bool. Whether a text may be empty. Defaults to `False`.

    Returns:
        `Examples`.

    Raises:
        ValueError: an empty text, a bad id or label, or no row at all, with
            the file and the line.
    """
    kept, unlabelled, lines_of_ids = [], [], {}
    for line, values in rows:
        try:
            texts = [
                text if may_be_empty else check_text(text, column)
                for text, column in zip(values, text_columns, strict=False)
            ]
            row_id = None
            if read_id is not None:
                row_id = read_id(values[len(text_columns)])
                _check_is_new(row_id, line, lines_of_ids)
        except ValueError as error:
            bad.add(line, error)
            continue
        label = None
        if parse_label is not None:
            try:
                label = parse_label(values[-1])
            except ValueError as error:
                if not (may_lack_labels and no_label(values[-1])):
                    bad.add(line, error)
                    continue
                unlabelled.append((line, error))
        kept.append((texts, label, row_id))
    has_labels = parse_label is not None and len(unlabelled) < len(kept)
    if has_labels and unlabelled:
        # Some have labels, so that these lack theirs.
        for line, error in unlabelled:
            bad.add(line, error)
        kept = [row for row in kept if row[1] is not None]
    bad.tell()
    if not kept:
        raise ValueError(
            f"{bad.path}:1: the file has no row that can be read, of "
            f"{bad.count:,} that were left out."
        )
    texts, labels, ids = zip(*kept, strict=True)
    return Examples(
        tuple(map(list, zip(*texts, strict=True))),
        list(labels) if has_labels else None,
        list(ids) if read_id is not None else None,
    )


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


def text_id(value):
    """A row's id as it stands there."""
    if not value.strip():
        raise ValueError("the row's id is empty; fill it in.")
    return value.strip()


def number_id(value):
    """A row's id as a number."""
    try:
        return int(value)
    except ValueError:
        raise ValueError(
            f"the row's index {value!r} is not a whole number."
        ) from None


def _check_is_new(row_id, line, lines):
    """Raises on the id of an earlier line, which `lines` notes."""
    first = lines.setdefault(row_id, line)
    if first != line:
        raise ValueError(
            f"the row's id {row_id!r} is that of line {first} already."
        )


def class_parser(label_names):
    """Returns a function from a label as a file spells it to its class index.

    Some files write names and some write numbers, pandas also as `1.0`; all
    are read, with spaces around them too. Where names are numbers themselves,
    names alone are read, of whole numbers as `1.0` too.

    Args:
        label_names: sequence of strings in the order of the class indices.
    """
    names = {name: index for index, name in enumerate(label_names)}
    indices = {str(index): index for index in range(len(label_names))}
    indices |= {f"{index}.0": index for index in range(len(label_names))}
    allowed = [f"{name} (or {index})" for name, index in names.items()]
    if any(_is_number(name) for name in names):
        indices, allowed = {}, list(names)
        indices = {f"{name}.0": index for name, index in names.items()}
    indices |= names
    near = {_plain(name): name for name in names if _plain(name)}

    def parse(value):
        label = value.strip()
        if label in indices:
            return indices[label]
        hint = ""
        if no_label(label):
            hint = f" {value!r} marks a row without a label: leave it out."
        elif _plain(label) in near:
            hint = f" Did you mean {near[_plain(label)]!r}?"
        raise ValueError(
            f"unknown label {value!r}; the labels are: {', '.join(allowed)}."
            + hint
        )

    return parse


def labels_in_cell(cell, separator=None, known=()):
    """The labels of a row that may have several.

    Args:
        cell: string, as the file spells it, or list of strings.
        separator: string. What stands between labels. Defaults to `None`: a
            list of JSON or Python, or one of `|`, `;` and `,` if any is there.
        known: sequence of strings. Labels in which these are no separators.
            Defaults to `()`.

    Returns:
        List of strings, empty of an empty cell.

    Raises:
        ValueError: a list that is none.
    """
    if isinstance(cell, list):
        return [label.strip() for label in cell]
    cell = cell.strip()
    if cell in known:
        return [cell]
    if separator is None and cell.startswith("["):
        try:
            # Lists of strings and numbers are written alike in both.
            labels = ast.literal_eval(cell)
        except (SyntaxError, ValueError) as error:
            raise ValueError(
                f"the labels {cell!r} are no list of JSON or Python ({error})."
            ) from error
        return [str(label).strip() for label in labels]
    if separator is None:
        separator = next((mark for mark in SEPARATORS if mark in cell), None)
    labels = cell.split(separator) if separator else [cell]
    return [label.strip() for label in labels if label.strip()]


def no_label(value):
    """Whether what stands in place of a label says that there is none.

    Args:
        value: a label as a file spells it, or a missing value.
    """
    if isinstance(value, (str, bytes)):
        return value.strip() in _NO_LABELS
    return not isinstance(value, list) and is_missing(value)


def _plain(label):
    """A label without what people spell now so, now so."""
    return "".join(letter for letter in label.casefold() if letter.isalnum())


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


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
