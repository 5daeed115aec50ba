"""Opens people's own data, a file or a folder of files, as a task."""

import dataclasses
import functools
import sys

import numpy as np
from sklearn.model_selection import train_test_split

from keras_distill.checks.arguments import SEED
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_number
from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.labelled_rows import SEPARATORS
from keras_distill.data.readers.labelled_rows import labels_in_cell
from keras_distill.data.readers.labelled_rows import no_label
from keras_distill.data.readers.reading import Reading
from keras_distill.data.readers.tables import is_json
from keras_distill.data.readers.tables import read_table
from keras_distill.data.splits import Splits
from keras_distill.data.tagged_examples import UNKNOWN_LANGUAGE
from keras_distill.tasks.choose_columns import choose_columns
from keras_distill.tasks.iob_files import TagReading
from keras_distill.tasks.iob_files import tag_readers
from keras_distill.tasks.iob_files import tags_in
from keras_distill.tasks.kind_of_labels import CLASSIFICATION
from keras_distill.tasks.kind_of_labels import MULTI_LABEL
from keras_distill.tasks.kind_of_labels import kind_of_labels
from keras_distill.tasks.kind_of_labels import names_of_classes
from keras_distill.tasks.kinds import kind_named
from keras_distill.tasks.labelled_tables import table_readers
from keras_distill.tasks.own_files import OwnFiles
from keras_distill.tasks.task import check_text_columns

_TAGGING = "tagging"

_DEV_SHARE, _SEED = 0.1, 0
# So many classes are told.
_TOLD = 12


def load_data(
    path,
    text_columns=None,
    label_column=None,
    kind=None,
    label_names=None,
    label_separator=None,
    metrics=None,
    sequence_length=None,
    dev_share=_DEV_SHARE,
    seed=_SEED,
    encoding=None,
    quoting=None,
    skip_bad_rows=False,
    quiet=False,
    name=None,
    id_column=None,
):
    """Opens data of your own, a file or a folder of files, as a task.

    What it was taken for is told on standard error in one line. What is not
    clear is asked for: a column by its name, the kind of task by `kind`.

    Args:
        path: string or path. A file, from which a dev split is drawn; or a
            folder with `train`, `dev` (or `validation`, `valid`, `val`) and
            `test`, of which only `train` must be there. `.csv` and `.tsv` with
            a header line, `.jsonl` with an object a line, `.json` with an
            array of them; words with tags in `.conll`, `.conllu`, `.iob`,
            `.iob2` or `.bio` as `load_iob` reads them, or in JSON as a list
            of words and one of tags; plain or `.gz`. Or a dict of
            `"train"`, `"dev"` and `"test"` to such files.
        text_columns: string, or tuple of one or two. The columns of the
            texts, in any case; of tagged words in JSON that of the words.
            Defaults to `None`: as the header shows, where it leaves no doubt,
            such as `text`, or `premise` and `hypothesis`.
        label_column: string. Defaults to `None`: as the header shows, such as
            `label`.
        kind: string. `"classification"`, `"multi_label"`, `"regression"`,
            `"tagging"`, or one of `register_kind`. Defaults to `None`: as the
            labels of `train` show. Few words that come again, two whole
            numbers or 0, 1 and 2 are classes; lists, or labels with
            `label_separator` between them, are several labels; numbers with
            fractions are a regression; a list of words with one of tags, and
            a line for each word, is tagging. Anything else is refused.
        label_names: sequence of strings in the order of the class indices.
            Defaults to `None`: the labels of `train`, sorted, numbers by
            value; of tags `"O"` and then each type's `"B-"` and `"I-"`.
            Needed for tags that are numbers.
        label_separator: string. What stands between the labels of a row that
            has several, such as `"|"`. An empty field is a row without any.
            Defaults to `None`: a row has one, or a list in JSON.
        metrics: tuple of strings, as in `Task`. Defaults to `None`: those of
            the kind.
        sequence_length: int. The most tokens of an example. Defaults to
            `None`: 64 for one text, 128 for two and for tagged words.
        dev_share: float. The share of `train` that becomes `dev` where there
            is none; of one class per text by class, as far as each has
            enough rows. Defaults to `0.1`.
        seed: int. The seed of that draw: the same one draws the same rows.
            Defaults to `0`.
        encoding: string. The encoding of files without byte order mark, such
            as `"cp1252"`. Defaults to `None`: UTF-8.
        quoting: bool. Whether the fields of TSV and CSV files are quoted.
            Defaults to `None`: those of CSV are, those of TSV as the file
            shows. A file that may be either is refused.
        skip_bad_rows: bool. Whether to leave out rows that cannot be read,
            or have no label, which is told on standard error with their
            number and the first of them. Defaults to `False`: the first one
            raises.
        quiet: bool. Whether not to tell what the data were taken for.
            Defaults to `False`.
        name: string. The task's name. Defaults to `None`: that of the file or
            folder.
        id_column: string. The column of the rows' ids, by which soft labels
            and a teacher's cache find them; each must be there once. Kept as
            strings. Defaults to `None`: rows are counted.

    Returns:
        A `Task` and a mapping of split name to `Examples`, of tags
        `TaggedExamples`: `"train"`, `"dev"` and, where there is one, `"test"`.

    Raises:
        ValueError: a missing file or column, labels that may be meant so or
            so, or bad data, with the file and the line.

    Example:

    >>> import pathlib
    >>> import keras_distill
    >>> rows = "win a prize,spam\\nsee you at noon,ham\\n" * 10
    >>> _ = pathlib.Path("mails.csv").write_text("text,label\\n" + rows)
    >>> task, splits = keras_distill.tasks.load_data("mails.csv")
    >>> task.kind, task.label_names
    ('classification', ('ham', 'spam'))
    >>> {name: len(examples) for name, examples in splits.items()}
    {'train': 18, 'dev': 2}
    """
    check_float("dev_share", dev_share, above=0, below=1)
    check_number("seed", seed, SEED)
    asked = _Asked(
        text_columns,
        label_column,
        kind,
        label_names,
        label_separator,
        metrics,
        sequence_length,
        name,
    )
    reading = Reading(encoding, quoting, skip_bad_rows, id_column)
    files = OwnFiles.find(path, reading, may_be_text=kind == _TAGGING)
    opened = _open_tags if _are_tags(files, asked) else _open_tables
    task, readers, told = opened(files, asked)
    if not quiet:
        print(f"{files.path}: {told}", file=sys.stderr)
    splits = Splits(readers, files.source)
    if "dev" not in splits:
        splits = _with_dev(task, splits, dev_share, seed, files.source)
    elif (dev_share, seed) != (_DEV_SHARE, _SEED):
        raise ValueError(
            "`dev_share` and `seed` are for data without a dev split. "
            f"Received: dev_share={dev_share}, seed={seed} for {files.source}."
        )
    return task, splits


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What is said of the data; `None` is to be found out."""

    text_columns: tuple | None
    label_column: str | None
    kind: str | None
    label_names: tuple | None
    separator: str | None
    metrics: tuple | None
    sequence_length: int | None
    name: str | None

    def __post_init__(self):
        texts = self.text_columns
        if texts is not None:
            texts = (texts,) if isinstance(texts, str) else texts
            # A frozen dataclass sets its own normalised fields this way.
            object.__setattr__(self, "text_columns", check_text_columns(texts))
        if self.kind is not None:
            kind_named(self.kind)
        if self.separator is not None:
            kind = _kind_with_separator(self.kind, self.separator)
            object.__setattr__(self, "kind", kind)

    def make_task(self, name, kind, text_columns, label_names):
        """The task of the data."""
        cls = kind_named(kind)
        sequence_length = self.sequence_length
        if sequence_length is None:
            is_long = len(text_columns) > 1 or kind == _TAGGING
            sequence_length = 128 if is_long else 64
        return cls(
            name=name if self.name is None else self.name,
            text_columns=text_columns,
            label_names=label_names,
            metrics=self.metrics or cls.DEFAULT_METRICS,
            sequence_length=sequence_length,
        )


def _are_tags(files, asked):
    """Whether the data are words with tags."""
    if asked.kind == _TAGGING:
        return True
    found = files.holds_tagged_words(asked.text_columns, asked.label_column)
    if found and asked.kind is not None:
        raise ValueError(
            f"`kind` must be {_TAGGING!r} for words with tags. Received: "
            f"kind={asked.kind!r} for {files.train}."
        )
    return found


def _open_tags(files, asked):
    """The task, how splits are read, and what was found, in words."""
    texts, label_column = asked.text_columns, asked.label_column
    if not is_json(files.train) and (texts, label_column) != (None, None):
        raise ValueError(
            "`text_columns` and `label_column` are names, and lines of words "
            "and tags have none: they are found by themselves, and `load_iob` "
            f"takes their places. Received: text_columns={texts}, "
            f"label_column={label_column!r} for {files.train}."
        )
    if texts is not None and len(texts) > 1:
        raise ValueError(
            "`text_columns` must name the one column of the words. Received: "
            f"text_columns={texts}."
        )
    if files.reading.id_column is not None:
        raise ValueError(
            "`id_column` is for tables of texts; tagged words are counted. "
            f"Received: id_column={files.reading.id_column!r} for "
            f"{files.train}."
        )
    reading = TagReading(
        files.reading.encoding,
        None if texts is None else texts[0],
        label_column,
        files.reading.skip_bad_rows,
    )
    names = asked.label_names
    if names is None:
        names = tags_in([files.train], reading)
    task = asked.make_task(files.name, _TAGGING, texts or ("text",), names)
    of_languages = {
        split: {UNKNOWN_LANGUAGE: path} for split, path in files.files.items()
    }
    return task, tag_readers(task, of_languages, reading), _in_words(task)


def _open_tables(files, asked):
    """The task, how splits are read, and what was found, in words."""
    wanted = [*(asked.text_columns or ())]
    if asked.label_column is not None:
        wanted.append(asked.label_column)
    try:
        texts, label_column = choose_columns(
            files.column_names(wanted), asked.text_columns, asked.label_column
        )
    except ValueError as error:
        raise ValueError(f"{files.train}:1: {error}") from error
    kind, names = asked.kind, asked.label_names

    def lacks_names():
        return names is None and kind_named(kind).has_label_names

    if kind is None or lacks_names():
        labels = _read_labels(files, label_column, asked.separator)
        try:
            if kind is None:
                kind = _found_kind(labels, label_column, names)
            if lacks_names():
                names = _found_names(labels, label_column, kind)
        except ValueError as error:
            raise ValueError(f"{files.train}: {error}") from error
    task = asked.make_task(files.name, kind, texts, names)
    readers = table_readers(
        task, files.files, label_column, files.reading, asked.separator
    )
    return task, readers, _in_words(task, label_column)


def _read_labels(files, label_column, separator):
    """The labels of `train` as they are spelled, those that there are."""
    reading = files.reading
    bad = BadRows(files.train, reading.skip_bad_rows)
    rows = read_table(
        files.train,
        (label_column,),
        None,
        bad,
        reading.encoding,
        reading.quoting,
        optional=(label_column,),
        lists=(label_column,),
    )
    labels = []
    for line, [label] in rows:
        is_several = isinstance(label, list) or separator is not None
        if is_several or label.lstrip().startswith("["):
            try:
                labels.append(labels_in_cell(label, separator))
            except ValueError as error:
                bad.add(line, error)
        elif not no_label(label):
            labels.append(label.strip())
    if not labels:
        raise ValueError(
            f"{files.train}: the column {label_column!r} holds no label."
        )
    return labels


def _kind_with_separator(kind, separator):
    """The kind of labels that have a separator between them."""
    if not isinstance(separator, str) or not separator:
        raise ValueError(
            "`label_separator` must be a string. Received: "
            f"label_separator={separator!r}."
        )
    if kind in (None, MULTI_LABEL):
        return MULTI_LABEL
    raise ValueError(
        f"`label_separator` is for rows of several labels, kind "
        f"{MULTI_LABEL!r}. Received: label_separator={separator!r} and "
        f"kind={kind!r}."
    )


def _found_kind(labels, label_column, label_names):
    """The kind of task, where it was not given."""
    if label_names is None:
        return kind_of_labels(labels, label_column)
    is_list = any(isinstance(label, list) for label in labels)
    return MULTI_LABEL if is_list else CLASSIFICATION


def _found_names(labels, label_column, kind):
    """The names of the labels, where they were not given."""
    names = names_of_classes(labels)
    if kind == MULTI_LABEL and not any(isinstance(x, list) for x in labels):
        for label in labels:
            marks = [mark for mark in SEPARATORS if mark in label]
            if marks:
                raise ValueError(
                    f"the column {label_column!r} holds {label!r}; pass "
                    f'`label_separator="{marks[0]}"` (--label-separator) if '
                    "that is several labels, or all `label_names`."
                )
    lengths = {len(label) for label in labels if isinstance(label, list)}
    if set(names) <= {"0", "1"} and lengths and lengths != {1}:
        raise ValueError(
            f"the column {label_column!r} holds lists of 0 and 1; pass the "
            "names of the classes that they are of as `label_names`."
        )
    plain = {}
    for name in names:
        other = plain.setdefault(name.casefold(), name)
        if other != name:
            raise ValueError(
                f"the labels {other!r} and {name!r} in column "
                f"{label_column!r} differ in case only; spell them alike, or "
                "pass `label_names`."
            )
    if len(names) < 2:
        raise ValueError(
            f"the column {label_column!r} holds the label {names[0]!r} alone; "
            "pass all `label_names`, or name another column."
        )
    return names


def _in_words(task, label_column=None):
    """What data were taken for, such as "classification of 'text' by ..."."""
    words = [task.kind]
    if label_column is not None:
        texts = " and ".join(map(repr, task.text_columns))
        words.append(f"of {texts} by {label_column!r}")
    if task.label_names is not None:
        names = ", ".join(task.label_names[:_TOLD])
        more = len(task.label_names) - _TOLD
        names += f" and {more:,} more" if more > 0 else ""
        words.append(f"with {len(task.label_names)} labels: {names}")
    return " ".join(words)


def _with_dev(task, splits, share, seed, source):
    """The splits with a part of `train` as `dev`."""

    @functools.cache
    def divided():
        return _hold_out(task, splits["train"], share, seed)

    readers = {
        "train": lambda: divided()[0],
        "dev": lambda: divided()[1],
        **{
            name: functools.partial(splits.__getitem__, name)
            for name in splits
            if name != "train"
        },
    }
    return Splits(readers, source)


def _hold_out(task, examples, share, seed):
    """Divides rows; by class where each text has one and all are enough."""
    labels, count = examples.labels, max(1, round(share * len(examples)))
    if task.class_names is not None:
        numbers = np.bincount(labels)
        numbers = numbers[numbers > 0]
        fewest = min(count, len(examples) - count)
        if numbers.min() > 1 and fewest >= len(numbers):
            rows = train_test_split(
                np.arange(len(examples)),
                test_size=count,
                random_state=seed,
                stratify=labels,
            )
            return tuple(examples.select(np.sort(part)) for part in rows)
    return task.hold_out(examples, share, seed)
