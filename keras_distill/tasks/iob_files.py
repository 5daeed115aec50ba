"""Tagged sentences from IOB files: one word and its tag on a line."""

import dataclasses
import functools

import numpy as np

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.tables import JSON_ENDINGS
from keras_distill.data.readers.tables import SPLITS
from keras_distill.data.readers.tables import find_table
from keras_distill.data.readers.tables import find_tables
from keras_distill.data.readers.tables import is_json
from keras_distill.data.readers.tag_schemes import OUTSIDE
from keras_distill.data.readers.tagged_json import read_json_sentences
from keras_distill.data.readers.tagged_words import TAGGED_ENDINGS
from keras_distill.data.readers.tagged_words import read_sentences
from keras_distill.data.readers.text_lines import check_encoding
from keras_distill.data.readers.tsv import listing
from keras_distill.data.splits import Splits
from keras_distill.data.tagged_examples import TaggedExamples
from keras_distill.io.progress import Progress
from keras_distill.io.saving import local_path
from keras_distill.tasks.tagging import SEQUENCE_LENGTH
from keras_distill.tasks.tagging import WIKIANN_TAGS
from keras_distill.tasks.tagging import is_iob
from keras_distill.tasks.tagging import tagging_task

_ENDINGS = (".tsv", ".txt", *TAGGED_ENDINGS, ".csv", *JSON_ENDINGS)


def load_iob(
    data_dir,
    languages=None,
    label_names=WIKIANN_TAGS,
    name="ner",
    sequence_length=SEQUENCE_LENGTH,
    quiet=False,
    encoding=None,
    word_column=None,
    tag_column=None,
    skip_bad_rows=False,
):
    """Opens IOB files, one folder per language, as one data set.

    The files are `train`, `dev` (or `validation`, `valid`, `val`) and `test`
    as `.tsv`, `.txt`, `.conll`, `.conllu`, `.iob`, `.iob2`, `.bio`, `.csv`,
    `.jsonl` or `.json`, plain or with `.gz`. In JSON each object has a list of
    words, such as `tokens`, and one of tags, such as `ner_tags`, spelled out
    or by their place in `label_names`. In the others there is a word on each
    line, tabs or spaces and its tag, and an empty line between sentences. Of
    more columns, as CoNLL-2003 has, the one that holds tags is read, the last
    of several. Comments (`# ...`),
    `-DOCSTART-` lines, numbers of words, a header and a language before each
    word (`en:`) are no words. Tags of IOBES, BILOU and BMES are read as IOB.
    A phrase may begin with `I-`, as in IOB1; `seqeval` counts it as a phrase
    then. The sentences of a split are those of the languages that have a file
    for it, one language after the other. `test` may lack the tags.

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
        encoding: string. The encoding of files without byte order mark, such
            as `"cp1252"`. Defaults to `None`: UTF-8.
        word_column: int. The place of the words, from 0; of JSON a string,
            the name. Defaults to `None`: as the files show.
        tag_column: int. The place of the tags, from 0, or from the end below
            0; of JSON a string, the name. Defaults to `None`: as the files
            show.
        skip_bad_rows: bool. Whether to leave out sentences with a line that
            cannot be read, which is told on standard error with their number
            and the first of them. Defaults to `False`: the first one raises.

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
    reading = TagReading(encoding, word_column, tag_column, skip_bad_rows)
    folders = _language_folders(data_dir, languages)
    files = {}
    for language, folder in folders.items():
        for split, path in find_tables(folder, _ENDINGS).items():
            files.setdefault(split, {})[language] = path
    # In the order of all splits, whichever language has which.
    files = {split: files[split] for split in SPLITS if split in files}
    readers = tag_readers(task, files, reading, quiet)
    return task, Splits(readers, ", ".join(map(str, folders.values())))


def find_tags(
    data_dir,
    languages=None,
    encoding=None,
    word_column=None,
    tag_column=None,
    skip_bad_rows=False,
):
    """The tags of the `train` files, for `load_iob` to take.

    Args:
        data_dir: as for `load_iob`.
        languages: as for `load_iob`.
        encoding: as for `load_iob`.
        word_column: as for `load_iob`.
        tag_column: as for `load_iob`.
        skip_bad_rows: as for `load_iob`.

    Returns:
        Tuple of strings: `"O"`, then `"B-"` and `"I-"` of each type, the
        types in alphabetical order.

    Raises:
        ValueError: bad data, with the file and the line, types that differ
            in case only, or no `train` file.
    """
    reading = TagReading(encoding, word_column, tag_column, skip_bad_rows)
    folders = _language_folders(data_dir, languages)
    paths = [
        find_table(folder, "train", _ENDINGS) for folder in folders.values()
    ]
    if not any(paths):
        raise ValueError(
            "`data_dir` has no train.tsv or train.tsv.gz, nor one that ends in "
            f"{', '.join(_ENDINGS[1:])}, to find tags in: "
            f"{', '.join(map(str, folders.values()))}."
        )
    return tags_in(filter(None, paths), reading)


def tags_in(paths, reading):
    """The tags of files, `"O"` and then each type's; as `find_tags`.

    Args:
        paths: iterable of `pathlib.Path`, at least one.
        reading: `TagReading`.
    """
    # Where each type was seen first.
    types = {}
    for path in paths:
        for sentence in reading.sentences(path, _check_iob):
            for line, tag in zip(sentence.lines, sentence.tags, strict=True):
                types.setdefault(tag[2:], (path, line))
    kinds = sorted(types.keys() - {""})
    plain = {}
    for kind in kinds:
        other = plain.setdefault(kind.casefold(), kind)
        if other != kind:
            path, line = types[kind]
            raise ValueError(
                f"{path}:{line}: the type {kind!r} differs from {other!r} in "
                f"case only, which {types[other][0]}:{types[other][1]} has; "
                "spell them alike, or pass `label_names`."
            )
    return (OUTSIDE, *(f"{place}-{kind}" for kind in kinds for place in "BI"))


def tag_readers(task, files, reading, quiet=True):
    """How the splits of a task of tags are read.

    Args:
        task: `TaggingTask`.
        files: dict of split name to a dict of language to `pathlib.Path`.
        reading: `TagReading`.
        quiet: bool. Whether to leave out the progress. Defaults to `True`.

    Returns:
        dict of split name to a function that returns its `TaggedExamples`.
        Only `"test"` may lack the tags.
    """
    return {
        split: functools.partial(
            _read_split, task, split, paths, reading, quiet
        )
        for split, paths in files.items()
    }


@dataclasses.dataclass(frozen=True)
class TagReading:
    """How files are read; as the arguments of `load_iob`."""

    encoding: str | None
    word_column: int | str | None
    tag_column: int | str | None
    skip_bad_rows: bool

    def __post_init__(self):
        check_encoding(self.encoding)
        BadRows("", self.skip_bad_rows)

    def sentences(self, path, check, known_tags=None, may_lack_tags=False):
        """The sentences of a file whose tags pass a check."""
        bad = BadRows(path, self.skip_bad_rows, "sentences")
        kept = []
        read = read_json_sentences if is_json(path) else read_sentences
        for sentence in read(
            path,
            bad,
            self.encoding,
            self.word_column,
            self.tag_column,
            known_tags,
        ):
            if sentence.tags is None:
                if not may_lack_tags:
                    raise ValueError(
                        f"{path}:{sentence.line}: the words have no tags; put "
                        "one beside each word, with a tab between them."
                    )
                kept.append(sentence)
                continue
            found = _first_error(sentence, check)
            if found is not None:
                bad.add(*found)
                continue
            kept.append(sentence)
        bad.tell()
        if not kept:
            raise ValueError(
                f"{path}:1: the file holds no sentence that can be read, of "
                f"{bad.count:,} that were left out."
            )
        return kept


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
            "`data_dir` must hold train.tsv, dev.tsv or test.tsv (or one that "
            f"ends in {', '.join(_ENDINGS[1:])}; plain or .gz), or one folder "
            "per language with such files. Received: "
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
    return bool(find_tables(folder, _ENDINGS))


def _read_split(task, split, paths, reading, quiet):
    """Reads the files of a split into one `TaggedExamples`."""
    words, labels, languages = [], [], []
    indices = {name: index for index, name in enumerate(task.label_names)}
    check = functools.partial(_check_known, indices=indices)
    title = f"Reading {split} of {task.name}"
    with Progress(title, len(paths), unit="files", quiet=quiet) as progress:
        for language, path in paths.items():
            for sentence in reading.sentences(
                path, check, indices, may_lack_tags=split == "test"
            ):
                words.append(sentence.words)
                tags = sentence.tags
                if tags is not None:
                    tags = np.array([indices[tag] for tag in tags], "int32")
                labels.append(tags)
                languages.append(language)
            progress.advance()
    if all(tags is None for tags in labels):
        labels = None
    elif any(tags is None for tags in labels):
        language = next(
            language
            for language, tags in zip(languages, labels, strict=True)
            if tags is None
        )
        raise ValueError(
            f"{paths[language]}:1: the words have no tags, but those of other "
            f"languages have; leave {language!r} out."
        )
    return TaggedExamples(words, labels, np.array(languages))


def _first_error(sentence, check):
    """The line of the first tag that does not pass, and why; or `None`."""
    for line, tag in zip(sentence.lines, sentence.tags, strict=True):
        try:
            check(tag)
        except ValueError as error:
            return line, error
    return None


def _check_known(tag, indices):
    if tag in indices:
        return
    plain = {_plain(name): name for name in indices}
    hint = ""
    if _plain(tag) in plain:
        hint = f" Did you mean {plain[_plain(tag)]!r}?"
    elif f"B-{tag}" in indices:
        hint = f" {tag!r} has no B- or I- before it."
    raise ValueError(
        f"unknown tag {tag!r}; the tags are: {', '.join(indices)}.{hint} Mend "
        "the line, or pass the tags of these files as `label_names` "
        "(`find_tags` lists them)."
    )


def _check_iob(tag):
    if not is_iob(tag):
        raise ValueError(
            f"{tag!r} is no IOB tag, which is O, or B- or I- before the type "
            "of a phrase; `tag_column` says which column holds the tags."
        )


def _plain(tag):
    return tag.casefold().replace("_", "-").strip()
