"""Opens a task that a small JSON file describes: what it is, where it lies."""

import json

from keras_distill.checks.arguments import did_you_mean
from keras_distill.io.saving import local_path
from keras_distill.tasks.own_data import load_data

ENDING = ".json"

_TEXT, _TEXTS = "a string", "a string or a list of strings"
_LIST, _FILES = "a list of strings", "a string, or an object of strings"
_INT, _FLOAT, _BOOL = "a whole number", "a number", "true or false"
# The arguments of `load_data`, whose `path` is `data` here.
FIELDS = {
    "name": _TEXT,
    "data": _FILES,
    "kind": _TEXT,
    "text_columns": _TEXTS,
    "label_column": _TEXT,
    "id_column": _TEXT,
    "label_names": _LIST,
    "label_separator": _TEXT,
    "metrics": _LIST,
    "sequence_length": _INT,
    "dev_share": _FLOAT,
    "seed": _INT,
    "encoding": _TEXT,
    "quoting": _BOOL,
    "skip_bad_rows": _BOOL,
}


def load_task_file(path, quiet=False):
    """Opens a task by a JSON file that says what it is and where it lies.

    The file holds one object. `"data"` is a file or folder as `load_data`
    takes it, or an object of `"train"`, `"dev"` and `"test"` to files, below
    the folder of the JSON file unless it is a whole path. All other fields may
    be left out and are the arguments of `load_data` of the same name:
    `"name"`, `"kind"`, `"text_columns"`, `"label_column"`, `"id_column"`,
    `"label_names"`, `"label_separator"`, `"metrics"`, `"sequence_length"`,
    `"dev_share"`, `"seed"`, `"encoding"`, `"quoting"` and `"skip_bad_rows"`.

    `tasks.load`, and the recipes' options of tasks, take the path of such a
    file in the place of a name.

    Args:
        path: string or path of the file, which ends in `.json`.
        quiet: bool. Whether not to tell what the data were taken for.
            Defaults to `False`.

    Returns:
        A `Task` and a mapping of split name to examples, as of `load_data`.
        The task is called as the file unless it says otherwise.

    Raises:
        ValueError: no such file, a field that is none or of another type, or
            what `load_data` refuses, with the file and the field.

    Example:

    >>> import json
    >>> import pathlib
    >>> from keras_distill import tasks
    >>> rows = "win a prize,spam\\nsee you at noon,ham\\n" * 10
    >>> _ = pathlib.Path("mails.csv").write_text("body,label\\n" + rows)
    >>> _ = pathlib.Path("junk.json").write_text(
    ...     json.dumps({"data": "mails.csv", "label_names": ["ham", "spam"]})
    ... )
    >>> task, splits = tasks.load_task_file("junk.json", quiet=True)
    >>> task.name, task.text_columns, len(splits["dev"])
    ('junk', ('body',), 2)
    """
    path = local_path(path)
    fields = _read(path)
    for name, value in fields.items():
        if name not in FIELDS:
            hint = did_you_mean(name, FIELDS)
            raise ValueError(
                f"{path}: there is no field {name!r}{hint}. The fields are: "
                f"{', '.join(FIELDS)}."
            )
        if not _fits(value, FIELDS[name]):
            raise ValueError(
                f"{path}: the field {name!r} must be {FIELDS[name]}. "
                f"Received: {json.dumps(value)[:60]}."
            )
    if "data" not in fields:
        raise ValueError(
            f"{path}: the field 'data' is missing: the file or folder of the "
            "rows."
        )
    data = fields.pop("data")
    if isinstance(data, dict):
        data = {split: path.parent / file for split, file in data.items()}
    else:
        data = path.parent / data
    fields.setdefault("name", path.name.removesuffix(ENDING))
    try:
        return load_data(data, **fields, quiet=quiet)
    except ValueError as error:
        message = str(error).replace("`path`", "'data'", 1)
        raise ValueError(f"{path}: {message}") from error


def is_task_file(name):
    """Whether what stands for a task is the path of such a file."""
    return isinstance(name, str) and name.endswith(ENDING)


def _read(path):
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not there"
        raise ValueError(
            "`path` must be a JSON file that describes a task. Received: "
            f"{str(path)!r}, which is {what}."
        )
    try:
        fields = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}:{error.lineno}: the file is not JSON ({error.msg}: column "
            f"{error.colno})."
        ) from error
    except (RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: the file is not JSON ({error}).") from error
    if not isinstance(fields, dict):
        raise ValueError(
            f"{path}: the file must hold one object, such as "
            '{"data": "train.csv", "kind": "classification"}. Rows of JSON '
            "are read by `load_data`."
        )
    return fields


def _fits(value, wanted):
    """Whether a value of JSON is of the type that a field wants."""
    is_text = isinstance(value, str)
    is_texts = isinstance(value, list) and all(
        isinstance(one, str) for one in value
    )
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return {
        _TEXT: is_text,
        _LIST: is_texts,
        _TEXTS: is_text or is_texts,
        _FILES: is_text
        or isinstance(value, dict)
        and all(isinstance(file, str) for file in value.values()),
        _INT: is_int,
        _FLOAT: is_int or isinstance(value, float),
        _BOOL: isinstance(value, bool),
    }[wanted]
