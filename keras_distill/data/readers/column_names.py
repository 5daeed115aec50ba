"""Finds columns by name in the header of a table."""


def find_column(names, column):
    """The place of a column.

    Where no name is equal, one that differs in case and in spaces around it
    only is taken.

    Args:
        names: list of str. The names of the columns.
        column: str. The column asked for.

    Returns:
        int, or `None` if there is no such column.

    Raises:
        ValueError: two columns of that name.

    Example:

    >>> from keras_distill.data.readers.column_names import find_column
    >>> find_column(["Text ", " label"], "text")
    0
    """
    plain = column.strip().casefold()
    for places in (
        [place for place, name in enumerate(names) if name == column],
        [
            place
            for place, name in enumerate(names)
            if name.strip().casefold() == plain
        ],
    ):
        if len(places) > 1:
            raise ValueError(
                f"the column {column!r} stands there twice, in places "
                f"{places[0] + 1} and {places[1] + 1}; rename one of them."
            )
        if places:
            return places[0]
    return None


def find_columns(names, columns):
    """The places of several columns.

    Args:
        names: list of str. The names of the columns.
        columns: sequence of str. The columns asked for.

    Returns:
        List of int.

    Raises:
        ValueError: a column that is missing or there twice.
    """
    places = [find_column(names, column) for column in columns]
    if None in places:
        raise ValueError(
            f"there is no column {columns[places.index(None)]!r}; "
            f"the columns are: {', '.join(names)}."
        )
    return places
