"""Parquet files of soft labels: `id`, and one column for each class.

Of a regression there is one column, `score`.
"""

from keras_distill.teachers.soft_labels.rows import Rows
from keras_distill.teachers.soft_labels.rows import as_number

_ID = "id"
_SCORE = "score"


def read(path, label_names=None):
    """The rows of a file."""
    del label_names
    # It takes as long to import as TensorFlow does.
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} is no Parquet file ({error}).") from error
    columns = [
        name
        for name in table.column_names
        # What pandas writes of a table's index.
        if name != _ID and not name.startswith("__index_level_")
    ]
    if _ID not in table.column_names or not columns:
        raise ValueError(
            f"{path} must have a column {_ID!r} and one for each class, or "
            f"{_SCORE!r}. Received: {', '.join(table.column_names)}."
        )

    def place(row):
        return f"{path}, row {row}"

    lists = [table.column(name).to_pylist() for name in columns]
    values = []
    for row, found in enumerate(zip(*lists, strict=True)):
        try:
            values.append(
                [
                    as_number(value, f"{name!r}")
                    for name, value in zip(columns, found, strict=True)
                ]
            )
        except ValueError as error:
            raise ValueError(f"{place(row)}: {error}") from error
    names = None if columns == [_SCORE] else tuple(columns)
    return Rows(table.column(_ID).to_pylist(), values, names, place)


def write(path, soft_labels):
    """Writes a file."""
    import pyarrow
    from pyarrow import parquet

    names = soft_labels.label_names
    if soft_labels.problem_type == "regression":
        names = (_SCORE,)
    elif names is None:
        raise ValueError(
            "A Parquet file has a column for each class. Received: soft "
            "labels without `label_names`."
        )
    if _ID in names:
        raise ValueError(
            f"A Parquet file's column {_ID!r} holds the ids. Received: a class "
            "of this name. Use another format."
        )
    columns = {_ID: soft_labels.ids.tolist()}
    columns |= dict(zip(names, soft_labels.values.T, strict=True))
    parquet.write_table(pyarrow.table(columns), path)
