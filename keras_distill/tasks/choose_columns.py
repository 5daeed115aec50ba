"""Which columns of a table hold the texts and which the labels."""

from keras_distill.data.readers.column_names import find_columns

# What columns are called that hold nothing else.
_TEXT = ("text", "sentence", "review")
_PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
)
_LABEL = ("label", "labels", "class", "category", "target", "score")


def choose_columns(names, text_columns=None, label_column=None):
    """The columns of the texts and of the labels, by their names.

    What is not given is taken where the header leaves no doubt: one column,
    or one pair, that is called as such columns are; or the only one that is
    left.

    Args:
        names: list of str. The columns that there are.
        text_columns: tuple of one or two str. Defaults to `None`.
        label_column: str. Defaults to `None`.

    Returns:
        Tuple of one or two str, and str.

    Raises:
        ValueError: a column that is not there, or twice, or one that is
            neither given nor clear.

    Example:

    >>> from keras_distill.tasks.choose_columns import choose_columns
    >>> choose_columns(["id", "Premise", "Hypothesis", "label"])
    (('Premise', 'Hypothesis'), 'label')
    """
    given = [*(text_columns or ()), *([label_column] if label_column else [])]
    places = find_columns(names, given)
    if len(set(places)) < len(places):
        raise ValueError(
            "texts and labels must be of different columns. Received: "
            f"text_columns={text_columns}, label_column={label_column!r}."
        )
    others = [
        name.strip() for i, name in enumerate(names) if i not in set(places)
    ]
    if label_column is None:
        label_column = _clear(others, [(name,) for name in _LABEL])
        if label_column is None and text_columns and len(others) == 1:
            label_column = (others[0],)
        if label_column is None:
            raise ValueError(_question("the labels", "label_column", names))
        [label_column] = label_column
        others.remove(label_column)
    if text_columns is None:
        text_columns = _clear(others, [(name,) for name in _TEXT], _PAIRS)
        if text_columns is None and len(others) == 1:
            text_columns = (others[0],)
        if text_columns is None:
            raise ValueError(_question("the texts", "text_columns", names))
    return text_columns, label_column


def _clear(names, *known):
    """The one entry of lists of known names whose columns are all there."""
    plain = {name.casefold(): name for name in names}
    found = [
        tuple(plain[name] for name in entry)
        for entries in known
        for entry in entries
        if all(name in plain for name in entry)
    ]
    return found[0] if len(found) == 1 else None


def _question(what, argument, names):
    option = "--" + argument.removesuffix("s").replace("_", "-")
    return (
        f"the header leaves open which columns hold {what}; name them by "
        f"`{argument}` ({option}). The columns are: {', '.join(names)}."
    )
