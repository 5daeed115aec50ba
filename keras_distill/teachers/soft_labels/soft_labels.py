"""What any system says of each example, by its id."""

import numpy as np

from keras_distill.io.saving import local_path
from keras_distill.io.saving import replaced_file
from keras_distill.teachers.checks import label_columns
from keras_distill.teachers.soft_labels import json_lines
from keras_distill.teachers.soft_labels import mt_dnn_scores
from keras_distill.teachers.soft_labels import mt_dnn_tsv
from keras_distill.teachers.soft_labels import parquet
from keras_distill.teachers.soft_labels.rows import check_ids

# How far probabilities that were rounded may be from a sum of 1.
_TOLERANCE = 1e-3
# What a probability of 0 is taken for where its logarithm is.
_LEAST = 1e-7
_FORMATS = {
    ".jsonl": json_lines,
    ".jsonl.gz": json_lines,
    ".parquet": parquet,
    ".tsv": mt_dnn_tsv,
    ".json": mt_dnn_scores,
}
_WAY_OUT = "Give the classes of the file the names of the data"


class SoftLabels:
    """What any system says of each example, by its id.

    They are a teacher's answers, whoever gave them: an ensemble, another
    library, a large language model. `TeacherCache.from_soft_labels` makes a
    teacher of them.

    Args:
        ids: Sequence of int or str, the examples' ids, each once.
        values: Array of shape `(rows, classes)`: of each row the
            probabilities of its classes, which sum to 1 up to rounding (0.001)
            and are scaled so that they do; of several labels the probability
            of each. Of a regression the scores, of shape `(rows,)` or
            `(rows, 1)`.
        label_names: Optional sequence of str, the classes in the order of
            the columns. Defaults to `None`: unknown, or a regression where
            there is one column.
        multi_label: bool. Whether a row may have several labels. Defaults to
            `False`.

    Attributes:
        ids: int64 array, or array of objects that are `str`.
        values: float64 array `(rows, classes)`.
        label_names: tuple of str, or `None`.
        problem_type: str, as Hugging Face calls the kind of problem:
            `"single_label_classification"`, `"multi_label_classification"`
            or `"regression"`.

    Raises:
        ValueError: If an id stands twice, or a row is none: not a number, no
            probability, or a sum other than 1. The message names the row, of
            a file its line.

    Example:

    ```python
    from keras_distill import teachers

    soft_labels = teachers.SoftLabels(
        ids=["a", "b"],
        values=[[0.9, 0.1], [0.25, 0.75]],
        label_names=["dull", "good"],
    )
    soft_labels.write("soft.jsonl")
    again = teachers.SoftLabels.read("soft.jsonl", label_names=["good", "dull"])
    print(again.values[0])
    ```
    """

    def __init__(self, ids, values, label_names=None, multi_label=False):
        self._fill(
            list(np.asarray(ids, "object")),
            values,
            label_names,
            multi_label,
            lambda row: f"row {row}",
        )

    def _fill(self, ids, values, label_names, multi_label, place):
        ids = [one.item() if hasattr(one, "item") else one for one in ids]
        if not ids:
            raise ValueError(
                "Soft labels must have at least one row. Received: none."
            )
        self.ids = check_ids(ids, place)
        if label_names is not None:
            label_names = tuple(label_names)
        self.label_names = label_names
        values = _as_table(values, len(ids), label_names, place)
        is_score = label_names is None and values.shape[1] == 1
        if multi_label:
            self.problem_type = "multi_label_classification"
        elif is_score:
            self.problem_type = "regression"
        else:
            self.problem_type = "single_label_classification"
        self.values = self._checked(values, place)

    def _checked(self, values, place):
        """Values that are what they have to be, of one label with sum 1."""
        is_number = np.isfinite(values).all(axis=1)
        if not is_number.all():
            row = int(np.argmin(is_number))
            raise ValueError(
                f"{place(row)}: soft labels must be finite numbers. Received: "
                f"{_in_words(values[row])}."
            )
        if self.problem_type == "regression":
            return values
        is_share = ((values >= 0) & (values <= 1 + _TOLERANCE)).all(axis=1)
        if not is_share.all():
            row = int(np.argmin(is_share))
            raise ValueError(
                f"{place(row)}: probabilities must be from 0 to 1. Received: "
                f"{_in_words(values[row])}. Pass logits through a softmax "
                "first (`SoftLabels.from_logits`)."
            )
        if self.problem_type == "multi_label_classification":
            return values.clip(0, 1)
        totals = values.sum(axis=1, keepdims=True)
        is_one = np.abs(totals[:, 0] - 1) <= _TOLERANCE
        if not is_one.all():
            row = int(np.argmin(is_one))
            raise ValueError(
                f"{place(row)}: the probabilities of a row must sum to 1. "
                f"Received: {_in_words(values[row])}, which sum to "
                f"{totals[row, 0]:.6g}. Where a row may have several labels, "
                "say `multi_label=True`."
            )
        return values / totals

    @classmethod
    def from_logits(cls, ids, logits, label_names=None, multi_label=False):
        """Soft labels of what a model gave.

        Args:
            ids: As of `SoftLabels`.
            logits: Array `(rows, classes)`, such as
                `keras_distill.tasks.predict_logits` returns; of a regression
                the scores.
            label_names: As there.
            multi_label: As there.

        Returns:
            `SoftLabels`.
        """
        logits = np.asarray(logits, "float64")
        if multi_label:
            values = np.exp(-np.logaddexp(0.0, -logits))
        elif logits.ndim < 2 or logits.shape[1] == 1:
            values = logits
        else:
            values = np.exp(logits - logits.max(axis=-1, keepdims=True))
            values = values / values.sum(axis=-1, keepdims=True)
        return cls(ids, values, label_names, multi_label)

    @classmethod
    def read(cls, path, label_names=None, multi_label=False):
        """Reads a file.

        The name's ending says what it is:

        - `.jsonl` (or `.jsonl.gz`): JSON lines,
          `{"id": 7, "probabilities": {"no": 0.2, "yes": 0.8}}`, or a list in
          place of the object; `{"id": 7, "score": 3.5}` of a regression;
          MT-DNN's `uid` and `softlabel` are taken too;
        - `.parquet`: a column `id` and one for each class, or `score`;
        - `.tsv`: MT-DNN's, without header: id, label, one or two texts, and
          the probabilities of all classes with spaces between them, or that
          of the second of two alone;
        - `.json`: MT-DNN's scores.

        Args:
            path: Path of the file.
            label_names: Optional sequence of str, the classes in the order
                that is wanted. Those that a file names are put into it, up to
                upper and lower case; values without names are taken to be in
                it. Defaults to the file's own.
            multi_label: bool. As of `SoftLabels`.

        Returns:
            `SoftLabels`.

        Raises:
            ValueError: With the file and the line or row: what is no such
                file, other classes than `label_names`, or what `SoftLabels`
                refuses.
        """
        path = local_path(path)
        if not path.is_file():
            raise ValueError(f"There is no file {str(path)!r} of soft labels.")
        rows = _format_of(path).read(path, label_names)
        if not rows.ids:
            raise ValueError(f"{path} must hold soft labels. Received: no row.")
        values, names = rows.values, rows.label_names
        if label_names is not None:
            label_names = tuple(label_names)
            columns = label_columns(
                names, label_names, f"the file {path}", _WAY_OUT
            )
            if columns is not None:
                values = [[row[column] for column in columns] for row in values]
            names = label_names
        read = cls.__new__(cls)
        read._fill(rows.ids, values, names, multi_label, rows.place)
        return read

    def write(self, path, examples=None):
        """Writes a file, which `read` reads again.

        A file is there whole or not at all.

        Args:
            path: Path of the file, whose ending says its format, as for
                `read`.
            examples: Optional `keras_distill.tasks.Examples` with labels, for
                MT-DNN's TSV, which holds texts and labels as well. Spaces,
                tabs and line ends in a text become single spaces there.

        Raises:
            ValueError: If the format cannot hold them.
        """
        path = local_path(path)
        form, more = _format_of(path), {}
        if examples is not None:
            if form is not mt_dnn_tsv:
                raise ValueError(
                    "`examples` are for MT-DNN's TSV. Received: them and "
                    f"path={str(path)!r}"
                )
            more["examples"] = examples
        with replaced_file(path) as temporary:
            form.write(temporary, self, **more)

    def __len__(self):
        return len(self.ids)

    def select(self, rows):
        """Some rows, with their ids.

        Args:
            rows: integer array of row numbers.

        Returns:
            `SoftLabels`.
        """
        return type(self)(
            self.ids[rows],
            self.values[rows],
            self.label_names,
            self.problem_type == "multi_label_classification",
        )

    def filled(self, examples):
        """The same, and the labels of the examples that have no row.

        What teaches only some of the rows: a row without an answer is learnt
        from its label alone. Of classes its soft label is all on that class,
        so that at temperature 1 hard and soft cross-entropy, and their
        weighted mean, are one and the same number (to 1e-6, since a
        probability of 0 is taken for 1e-7); of a regression it is the score.

        Args:
            examples: `Examples` or `TokenizedExamples` with labels and ids.

        Returns:
            `SoftLabels`: these rows, then those of the other examples in
            their order.

        Raises:
            ValueError: If the examples have no labels, or other classes.

        Example:

        >>> from keras_distill import data, teachers
        >>> asked = teachers.SoftLabels([7], [[0.25, 0.75]], ["no", "yes"])
        >>> rows = data.Examples(
        ...     texts=(["fine", "dull"],), labels=[1, 0], ids=[7, 8]
        ... )
        >>> asked.filled(rows).values.tolist()
        [[0.25, 0.75], [1.0, 0.0]]

        Reference:
            - Liu et al. 2019, https://arxiv.org/abs/1904.09482, whose tasks
              without a teacher are learnt from their labels.
        """
        known = set(map(str, self.ids.tolist()))
        missing = [
            row
            for row, one in enumerate(examples.ids.tolist())
            if str(one) not in known
        ]
        if not missing:
            return self
        if examples.labels is None:
            raise ValueError(
                "`examples` must have labels for the rows that no soft label "
                f"is of. Received: none, for the id {examples.ids[missing[0]]}."
            )
        ids = [*self.ids.tolist(), *examples.ids[missing].tolist()]
        if isinstance(ids[0], str) != isinstance(ids[-1], str):
            ids = list(map(str, ids))
        answers = self._of_labels(
            np.asarray(examples.labels)[missing],
            getattr(examples, "label_names", None),
        )
        return type(self)(
            ids,
            np.concatenate([self.values, answers]),
            self.label_names,
            self.problem_type == "multi_label_classification",
        )

    def _of_labels(self, labels, label_names):
        """Labels of examples as rows of values."""
        width = self.values.shape[1]
        columns = label_columns(self.label_names, label_names, "`soft_labels`")
        if self.problem_type == "regression":
            if labels.dtype.kind != "f":
                raise ValueError(
                    "`examples` must have scores, which are floats, as their "
                    "labels: a class, or a query of a ranking, is no score. "
                    f"Received: labels of {labels.dtype}."
                )
            return labels.reshape((-1, 1)).astype("float64")
        if self.problem_type == "multi_label_classification":
            found = labels.astype("float64")
        else:
            # A split without labels may have -1 in their place.
            wrong = labels[(labels < 0) | (labels >= width)]
            if wrong.size:
                raise ValueError(
                    f"`examples` must have labels below {width}, the number "
                    f"of classes of the soft labels. Received: {wrong[0]}."
                )
            found = np.eye(width)[labels.astype("int64")]
        if columns is not None:
            found = found[:, np.argsort(columns)]
        return found

    def logits(self):
        """Logits that give these probabilities.

        Of classes the logarithms, moved so that those of a row have the mean
        0, which changes no softmax; of several labels `log(p) - log(1 - p)`; of
        a regression the scores. A probability of 0 is taken for 1e-7.

        Returns:
            float32 array `(rows, classes)`.
        """
        values = self.values
        if self.problem_type == "regression":
            return values.astype("float32")
        logs = np.log(values.clip(_LEAST, None))
        if self.problem_type == "multi_label_classification":
            logs = logs - np.log((1 - values).clip(_LEAST, None))
        else:
            logs = logs - logs.mean(axis=1, keepdims=True)
        return logs.astype("float32")


def _as_table(values, count, label_names, place):
    """Values as a float64 array `(rows, classes)`."""
    rows = [np.atleast_1d(np.asarray(row, "float64")) for row in values]
    if len(rows) != count:
        raise ValueError(
            "`values` must have a row for each of `ids`. Received: "
            f"{len(rows)} rows of {count} ids."
        )
    width = rows[0].size if label_names is None else len(label_names)
    for row, found in enumerate(rows):
        if found.shape != (width,) or not width:
            of = "the first row"
            if label_names is not None:
                of = f"the {width} classes {', '.join(label_names)}"
            raise ValueError(
                f"{place(row)}: a row must have a number for each of {of}. "
                f"Received: {found.shape[-1]}."
            )
    return np.stack(rows)


def _format_of(path):
    name = path.name.lower()
    for ending, form in _FORMATS.items():
        if name.endswith(ending):
            return form
    raise ValueError(
        "Soft labels are in files that end in one of "
        f"{', '.join(_FORMATS)}. Received: {path.name!r}"
    )


def _in_words(values):
    return ", ".join(f"{value:.6g}" for value in values)
