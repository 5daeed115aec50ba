"""Tagged sentences from IOB files: one word and its tag on a line."""

import functools

import numpy as np

from keras_distill.data.readers.text_lines import read_lines
from keras_distill.progress import Progress
from keras_distill.saving import local_path
from keras_distill.tasks.metrics import OUTSIDE
from keras_distill.tasks.splits import Splits
from keras_distill.tasks.tagged_examples import TaggedExamples
from keras_distill.tasks.tagging import SEQUENCE_LENGTH
from keras_distill.tasks.tagging import WIKIANN_TAGS
from keras_distill.tasks.tagging import is_iob
from keras_distill.tasks.tagging import tagging_task
from keras_distill.tasks.tsv import find_file
from keras_distill.tasks.tsv import listing

_SPLITS = ("train", "dev", "test")


def load_iob(
    data_dir,
    languages=None,
    label_names=WIKIANN_TAGS,
    name="ner",
    sequence_length=SEQUENCE_LENGTH,
    quiet=False,
):
    """Opens IOB files, one folder per language, as one data set.

    The files are `train.tsv`, `dev.tsv` and `test.tsv`, plain or with `.gz`:
    on each line a word, a tab and its tag, and an empty line between
    sentences. A phrase may begin with `I-`, as in IOB1; `seqeval` counts it
    as a phrase then. The sentences of a split are those of the languages that
    have a file for it, one language after the other.

    Args:
        data_dir: string or path of a folder with one folder per language, or
            of a folder with the files themselves, whose name is then the
            language; or a dict of language to such a folder of files.
        languages: sequence of strings. The folders to read, in this order.
            Defaults to `None`, which reads all in alphabetical order.
        label_names: sequence of strings. The tags by class index. Defaults
            to WikiAnn's, in the order of TensorFlow Datasets. Those of other
            files are found by `find_tags`.
        name: string. Name of the task. Defaults to `"ner"`.
        sequence_length: int. The task's. Defaults to `128`.
        quiet: bool. Whether to leave out the progress of reading, which is
            shown after 5 seconds. Defaults to `False`.

    Returns:
        A `Task` and a mapping of split name to `TaggedExamples`.

    Raises:
        ValueError: a missing folder or one without files; when a split is
            read, bad data, with the file and the line.

    Example:

    >>> import pathlib
    >>> import keras_distill
    >>> pathlib.Path("data/en").mkdir(parents=True)
    >>> file = pathlib.Path("data/en/train.tsv")
    >>> _ = file.write_text("Anna\\tB-PER\\nsings\\tO\\n\\nOslo\\tB-LOC\\n")
    >>> task, splits = keras_distill.tasks.load_iob("data")
    >>> splits["train"].words
    [['Anna', 'sings'], ['Oslo']]
    >>> splits["train"].labels[0], splits["train"].languages[0].item()
    (array([1, 0], dtype=int32), 'en')
    """
    task = tagging_task(name, label_names, sequence_length)
    folders = _language_folders(data_dir, languages)
    files = {
        split: {
            language: path
            for language, folder in folders.items()
            if (path := find_file(folder, split))
        }
        for split in _SPLITS
    }
    readers = {
        split: functools.partial(_read_split, task, split, paths, quiet)
        for split, paths in files.items()
        if paths
    }
    return task, Splits(readers, ", ".join(map(str, folders.values())))


def find_tags(data_dir, languages=None):
    """The tags of the `train` files, for `load_iob` to take.

    Args:
        data_dir: as for `load_iob`.
        languages: as for `load_iob`.

    Returns:
        Tuple of strings: `"O"`, then `"B-"` and `"I-"` of each type, the
        types in alphabetical order.

    Raises:
        ValueError: bad data, with the file and the line, or no `train` file.
    """
    folders = _language_folders(data_dir, languages)
    paths = [find_file(folder, "train") for folder in folders.values()]
    types = set()
    for path in filter(None, paths):
        for line, field in _read_fields(path):
            if field is not None:
                types.add(_checked(field[1], path, line)[2:])
    if not types:
        raise ValueError(
            "`data_dir` has no train.tsv or train.tsv.gz to find tags in: "
            f"{', '.join(map(str, folders.values()))}."
        )
    kinds = sorted(types - {""})
    return (OUTSIDE, *(f"{place}-{kind}" for kind in kinds for place in "BI"))


def _language_folders(data_dir, languages):
    """The folder of each language."""
    if isinstance(languages, str):
        raise ValueError(
            "`languages` must be a sequence of strings. Received: "
            f"languages={languages!r}; put it in a list."
        )
    if isinstance(data_dir, dict):
        if languages is not None:
            raise ValueError(
                "`languages` are the keys of `data_dir` where that is a dict. "
                f"Received: languages={list(languages)}; leave it out."
            )
        folders = {key: local_path(path) for key, path in data_dir.items()}
    else:
        folders = _found_folders(local_path(data_dir), languages)
    if not folders:
        raise ValueError(
            "`data_dir` must hold train.tsv, dev.tsv or test.tsv (plain or "
            ".gz), or one folder per language with such files. Received: "
            f"{data_dir!r}, without any."
        )
    for folder in folders.values():
        if not _has_files(_checked_folder(folder)):
            raise ValueError(
                "`data_dir` has a language without train.tsv, dev.tsv or "
                f"test.tsv (plain or .gz): {folder} holds {listing(folder)}."
            )
    return folders


def _found_folders(folder, languages):
    """Those below a folder, or the folder itself."""
    _checked_folder(folder)
    if languages is not None:
        return {language: folder / language for language in languages}
    if _has_files(folder):
        return {folder.resolve().name: folder}
    return {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.is_dir() and _has_files(path)
    }


def _checked_folder(folder):
    if not folder.is_dir():
        beside = ""
        if folder.parent.is_dir():
            beside = f"; {folder.parent} holds {listing(folder.parent)}"
        raise ValueError(
            f"`data_dir` must be a folder. Received: {str(folder)!r}, which "
            f"is {'a file' if folder.exists() else 'not there'}{beside}."
        )
    return folder


def _has_files(folder):
    return any(find_file(folder, split) for split in _SPLITS)


def _read_split(task, split, paths, quiet):
    """Reads the files of a split into one `TaggedExamples`."""
    words, labels, languages = [], [], []
    title = f"Reading {split} of {task.name}"
    with Progress(title, len(paths), unit="files", quiet=quiet) as progress:
        for language, path in paths.items():
            for sentence, tags in _read_sentences(path, task.label_names):
                words.append(sentence)
                labels.append(tags)
                languages.append(language)
            progress.advance()
    return TaggedExamples(words, labels, np.array(languages))


def _read_sentences(path, label_names):
    """Yields the words and the class indices of each sentence of a file."""
    indices = {name: index for index, name in enumerate(label_names)}
    words, labels = [], []
    is_empty = True
    for line, field in _read_fields(path):
        if field is None:
            if words:
                yield words, labels
            words, labels = [], []
            continue
        is_empty = False
        word, tag = field
        if tag not in indices:
            raise ValueError(
                f"{path}:{line}: unknown tag {tag!r}; the tags are: "
                f"{', '.join(label_names)}. Mend the line, or pass the tags "
                "of these files as `label_names` (`find_tags` lists them)."
            )
        words.append(word)
        labels.append(indices[tag])
    if words:
        yield words, labels
    if is_empty:
        raise ValueError(f"{path}:1: the file holds no sentence.")


def _read_fields(path):
    """Yields the line number and word and tag, or `None` between sentences."""
    for line, text in read_lines(path):
        if not text.strip():
            yield line, None
            continue
        fields = text.split("\t")
        if len(fields) != 2:
            raise ValueError(
                f"{path}:{line}: expected a word and its tag with one tab "
                f"between them, found {len(fields)} columns; mend or delete "
                "the line."
            )
        if not fields[0]:
            raise ValueError(
                f"{path}:{line}: the word is empty; fill it in or delete the "
                "line."
            )
        yield line, fields


def _checked(tag, path, line):
    if not is_iob(tag):
        raise ValueError(
            f"{path}:{line}: {tag!r} is no IOB tag, which is O, or B- or I- "
            "before the type of a phrase."
        )
    return tag
