"""JSON lines of soft labels.

`{"id": 7, "probabilities": {"no": 0.2, "yes": 0.8}}`, or a list where the
classes have no names; `{"id": 7, "score": 3.5}` of a regression. MT-DNN's own
lines, `{"uid": "7", "softlabel": [0.2, 0.8], ...}`, are read as well.
"""

import gzip
import json

from keras_distill.data.readers.text_lines import read_lines
from keras_distill.teachers.soft_labels.rows import Rows
from keras_distill.teachers.soft_labels.rows import as_number
from keras_distill.teachers.soft_labels.rows import ids_of_text

_IDS = ("id", "uid")
_PROBABILITIES = "probabilities"
_SCORE = "score"
_VALUES = (_PROBABILITIES, "softlabel", _SCORE)


def read(path, label_names=None):
    """The rows of a file, plain or `.gz`."""
    del label_names
    ids, values, lines, names = [], [], [], None
    is_mt_dnn = False
    for number, text in read_lines(path):
        if not text.strip():
            continue
        try:
            key, one, found, row = _parsed(text)
            if not lines:
                names, is_mt_dnn = found, key == "uid"
            _check_classes(names, found)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from error
        if names is not None:
            row = [row[name] for name in names]
        ids.append(one)
        values.append(row)
        lines.append(number)
    if is_mt_dnn:
        ids = ids_of_text(ids)
    return Rows(ids, values, names, lambda row: f"{path}:{lines[row]}")


def write(path, soft_labels):
    """Writes a file of the values by the names of their classes."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "wt", encoding="utf-8", newline="\n") as file:
        for one, values in zip(
            soft_labels.ids.tolist(), soft_labels.values.tolist(), strict=True
        ):
            if soft_labels.problem_type == "regression":
                row = {"id": one, _SCORE: values[0]}
            elif soft_labels.label_names is None:
                row = {"id": one, _PROBABILITIES: values}
            else:
                of_names = zip(soft_labels.label_names, values, strict=True)
                row = {"id": one, _PROBABILITIES: dict(of_names)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _parsed(text):
    """The key of the id, the id, the names of classes, and the values."""
    try:
        row = json.loads(text)
    # Brackets in brackets without end break the parser this way.
    except (RecursionError, ValueError) as error:
        raise ValueError(f"the line is no JSON ({error}).") from error
    if not isinstance(row, dict):
        raise ValueError(f"the line must be a JSON object. Received: {text}")
    key = _one_of(_IDS, row)
    name = _one_of(_VALUES, row)
    values = row[name]
    if name == _SCORE:
        return key, row[key], None, [as_number(values, "the score")]
    if isinstance(values, dict) and values:
        found = {k: as_number(v, f"{k!r}") for k, v in values.items()}
        return key, row[key], tuple(found), found
    if isinstance(values, list) and values:
        return key, row[key], None, [as_number(v, f"{name!r}") for v in values]
    raise ValueError(
        f"{name!r} must be an object of each class's probability, or a list. "
        f"Received: {values!r}."
    )


def _one_of(names, row):
    found = [name for name in names if name in row]
    if len(found) != 1:
        raise ValueError(
            f"the line must have one of {', '.join(map(repr, names))}. "
            f"Received: {', '.join(map(repr, row)) or 'nothing'}."
        )
    return found[0]


def _check_classes(names, found):
    is_same = found is None or names is None or set(names) == set(found)
    if (names is None) != (found is None) or not is_same:
        raise ValueError(
            f"the line has {_in_words(found)}, those before have "
            f"{_in_words(names)}."
        )


def _in_words(names):
    if names is None:
        return "classes without names"
    return f"the classes {', '.join(names)}"
