"""Which kind of task a column of labels shows, where that is plain."""

import re

CLASSIFICATION = "classification"
MULTI_LABEL = "multi_label"
REGRESSION = "regression"

# Whole numbers up to here are classes; more of them may be scores.
_FEW_NUMBERS = 3
# Separators that may stand between the labels of a row.
_SEPARATORS = "|,;"
# So many labels a message names.
_NAMED = 5
_WHOLE_NUMBER = re.compile(r"([+-]?\d+)(?:\.0*)?")


def kind_of_labels(labels, column):
    """The name of the kind of task that labels are of.

    Lists are several labels a row. Numbers of which one has a fraction are
    numbers. Two or three words or whole numbers, or words that each stand in
    two rows or more on average, are classes. Anything else may be meant so or
    so, and is refused.

    Args:
        labels: list of the labels of all rows, each as the file spells it or
            a list of such.
        column: str. The name of their column, for messages.

    Returns:
        str.

    Raises:
        ValueError: labels that show no kind, or several.
    """
    lists = [isinstance(label, list) for label in labels]
    if any(lists):
        if not all(lists):
            label = labels[lists.index(False)]
            raise ValueError(
                f"the column {column!r} must hold a list in each row, or in "
                f"none. Received: {label!r} beside {labels[lists.index(True)]}."
            )
        return MULTI_LABEL
    names = set(labels)
    if len(names) == 1:
        raise ValueError(
            f"the column {column!r} holds one label only, {labels[0]!r}, in "
            f"{len(labels):,} rows, which shows no kind; name another column, "
            "or pass `kind` (--kind) and, of classes, all `label_names`."
        )
    if all(map(_is_number, names)):
        return _kind_of_numbers(names, column)
    separator = _separator(names)
    if separator is not None:
        example = next(name for name in sorted(names) if separator in name)
        raise ValueError(
            f"the column {column!r} holds {example!r}, whose parts are labels "
            f'too. Pass `label_separator="{separator}"` (--label-separator) '
            "if rows have several labels, or "
            f"{_of_kind(CLASSIFICATION)} if that is a class of its own."
        )
    if len(names) > max(2, len(labels) / 2):
        raise ValueError(
            f"the column {column!r} holds {len(names):,} different labels in "
            f"{len(labels):,} rows ({_named(sorted(names))}), too many to be "
            f"classes as it seems. Pass {_of_kind(CLASSIFICATION)} if they "
            "are, or name another column."
        )
    return CLASSIFICATION


def names_of_classes(labels):
    """The names of classes in a stable order: numbers by value, else sorted.

    Args:
        labels: list of labels as the file spells them, or of lists of such.

    Returns:
        Tuple of str, whole numbers without `.0`.
    """
    names = set()
    for label in labels:
        names.update(label if isinstance(label, list) else [label])
    names = {whole_number(name) or name for name in names}
    if all(map(_is_number, names)):
        return tuple(sorted(names, key=float))
    return tuple(sorted(names))


def whole_number(text):
    """A whole number as Python writes it, or `None` of anything else."""
    found = _WHOLE_NUMBER.fullmatch(text)
    return str(int(found[1])) if found else None


def _kind_of_numbers(names, column):
    if not all(map(whole_number, names)):
        return REGRESSION
    names = sorted({whole_number(name) for name in names}, key=float)
    is_counted = names == [str(number) for number in range(len(names))]
    if len(names) == 2 or (is_counted and len(names) <= _FEW_NUMBERS):
        return CLASSIFICATION
    raise ValueError(
        f"the column {column!r} holds the whole numbers {_named(names)}, which "
        f"may be classes or scores. Pass {_of_kind(CLASSIFICATION)} or "
        f"{_of_kind(REGRESSION)}."
    )


def _separator(names):
    """What stands between labels, if a name is made of others."""
    for separator in _SEPARATORS:
        for name in names:
            parts = [part.strip() for part in name.split(separator)]
            if len(parts) > 1 and all(part in names for part in parts):
                return separator
    return None


def _of_kind(kind):
    return f'`kind="{kind}"` (--kind {kind})'


def _named(names):
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (
        f" and {more:,} more" if more > 0 else ""
    )


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
