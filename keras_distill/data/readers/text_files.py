"""Unlabelled texts in files, such as those that a student learns from."""

import itertools
import os

from keras_distill.checks.arguments import Number
from keras_distill.checks.arguments import check_int
from keras_distill.data.examples import Examples
from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.labelled_rows import check_text
from keras_distill.data.readers.reading import Reading
from keras_distill.data.readers.sentences import split_into_sentences
from keras_distill.data.readers.tables import is_table
from keras_distill.data.readers.tables import read_table
from keras_distill.data.readers.tables import unread_table
from keras_distill.data.readers.tagged_words import TAGGED_ENDINGS
from keras_distill.data.readers.text_lines import read_lines
from keras_distill.io.saving import local_path

_TEXT_ENDINGS = (".txt", ".txt.gz")


class TextFiles:
    """Unlabelled texts, or pairs of texts, in files of any size.

    Iterating yields a tuple of one or two strings for each, in the order of
    the files, without keeping them in memory.

    Args:
        path: string or path of a file or a folder, or a list of files. Of a
            folder those below it are read that end in `.txt`, or with
            `columns` in `.tsv`, `.csv`, `.jsonl` or `.json`, plain or `.gz`,
            in the order of their paths; hidden ones are not.
        columns: tuple of one or two columns that hold the texts: strings for
            the names in the header of TSV and CSV files or in JSON; ints for
            places, from 0, in TSV and CSV files without header. A row without
            text is an error. Defaults to `None`: a text a line, empty lines
            left out; tables are not read as such.
        split_sentences: bool. Whether to cut each line into sentences,
            roughly; not for pairs. Defaults to `False`.
        min_words: int. Leaves out texts with fewer words between spaces,
            such as headings, and pairs with such a text. Defaults to `1`.
        encoding: string. The encoding of files without byte order mark, such
            as `"cp1252"`. Defaults to `None`: UTF-8.
        quoting: bool. Whether the fields of TSV and CSV files are quoted.
            Defaults to `None`: those of CSV are, those of TSV as the file
            shows. A file that may be either is refused.
        skip_bad_rows: bool. Whether to leave out rows and lines that cannot
            be read, which is told on standard error, once for a file, with
            their number and the first of them. Defaults to `False`: the first
            one raises.

    Attributes:
        files: list of `pathlib.Path`.
        num_columns: int. 1, or 2 for pairs.

    Raises:
        ValueError: no such file, or a folder without one; while it is read,
            bad data with the file and the line.

    Example:

    ```python
    import pathlib

    import keras_distill

    pathlib.Path("wiki.txt").write_text("Films. A film is a work of art.\\n")
    texts = keras_distill.tasks.TextFiles(
        "wiki.txt", split_sentences=True, min_words=2
    )
    print(list(texts))  # [('A film is a work of art.',)]
    examples = texts.load()
    ```
    """

    def __init__(
        self,
        path,
        columns=None,
        split_sentences=False,
        min_words=1,
        encoding=None,
        quoting=None,
        skip_bad_rows=False,
    ):
        columns = _check_columns(columns)
        if split_sentences and columns is not None and len(columns) == 2:
            raise ValueError(
                "`split_sentences` is for single texts. "
                f"Received: columns={columns}."
            )
        min_words = check_int("min_words", min_words, minimum=1)
        self.files = find_text_files(path, columns)
        self.num_columns = 1 if columns is None else len(columns)
        self._path = path
        self._columns = columns
        self._split_sentences = split_sentences
        self._min_words = min_words
        self._reading = Reading(encoding, quoting, skip_bad_rows)
        self._told = set()

    @property
    def size(self):
        """Bytes of the files, as they are on disk."""
        return sum(os.path.getsize(path) for path in self.files)

    def __iter__(self):
        return self.read()

    def read(self, progress=None):
        """Yields the texts.

        Args:
            progress: function of how many more of `size` bytes were read,
                called now and then. Defaults to `None`.

        Yields:
            tuple of one or two strings.
        """
        for path in self.files:
            done = 0

            def advance(position):
                nonlocal done
                if progress is not None:
                    progress(position - done)
                done = position

            for texts in self._read_file(path, advance):
                if self._is_long_enough(texts):
                    yield texts
            advance(os.path.getsize(path))

    def load(self, max_texts=None):
        """Reads the texts into memory.

        Args:
            max_texts: int. Stops after so many. Defaults to `None`: all.

        Returns:
            `Examples` without labels.

        Raises:
            ValueError: no text.
        """
        check_int("max_texts", max_texts, minimum=1, optional=True)
        rows = list(itertools.islice(self, max_texts))
        if not rows:
            raise ValueError(
                f"There is no text of {self._min_words} or more words in "
                f"{self._path}."
            )
        return Examples(tuple(map(list, zip(*rows, strict=True))))

    def _read_file(self, path, progress):
        bad = BadRows(path, self._reading.skip_bad_rows)
        if self._columns is None:
            lines = read_lines(path, progress, self._reading.encoding, bad)
            rows = ((line.strip(),) for _, line in lines)
        else:
            rows = self._read_columns(path, progress, bad)
        for row in rows:
            if not self._split_sentences:
                yield row
                continue
            for sentence in split_into_sentences(row[0]):
                yield (sentence,)
        if path not in self._told:
            self._told.add(path)
            bad.tell()

    def _read_columns(self, path, progress, bad):
        for number, values in read_table(
            path,
            self._columns,
            progress,
            bad,
            self._reading.encoding,
            self._reading.quoting,
        ):
            try:
                yield tuple(map(check_text, values, self._columns))
            except ValueError as error:
                bad.add(number, error)

    def _is_long_enough(self, texts):
        return all(len(text.split()) >= self._min_words for text in texts)


def _check_columns(columns):
    if columns is None:
        return None
    if isinstance(columns, (list, tuple)) and len(columns) in (1, 2):
        is_place = Number(int, minimum=0).accepts
        is_name = all(isinstance(name, str) and name for name in columns)
        if is_name or all(map(is_place, columns)):
            return tuple(columns)
    raise ValueError(
        "`columns` must be a tuple of one or two names or places of columns. "
        f"Received: columns={columns!r}."
    )


def find_text_files(path, columns=None):
    """The files of texts that a path, or each of a list, stands for."""
    if isinstance(path, (list, tuple)):
        return [
            file for entry in path for file in find_text_files(entry, columns)
        ]
    path = local_path(path)
    if path.is_dir():
        return _files_below(path, columns)
    if not path.is_file():
        raise ValueError(f"There is no file or folder {str(path)!r}.")
    _check_kind(path, columns)
    return [path]


def _check_kind(path, columns):
    """Raises on a file that has no lines of text, or no columns."""
    unread = unread_table(path)
    if unread is not None:
        raise ValueError(
            f"`path` must be a file of text or a table as CSV, TSV or JSON. "
            f"Received: {str(path)!r}; {unread}."
        )
    if columns is None and is_table(path):
        raise ValueError(
            f"`columns` must say which columns of {path} hold the texts. "
            "Received: columns=None."
        )
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(TAGGED_ENDINGS):
        raise ValueError(
            "`path` must hold texts. Received: "
            f"{str(path)!r}, whose lines are words and tags; read it with "
            "`keras_distill.tasks.load_iob`."
        )


def _files_below(folder, columns):
    def is_wanted(path):
        parts = path.relative_to(folder).parts
        if not path.is_file() or any(part.startswith(".") for part in parts):
            return False
        if columns is None:
            return path.name.lower().endswith(_TEXT_ENDINGS)
        return is_table(path)

    files = sorted(filter(is_wanted, folder.rglob("*")))
    if not files:
        endings = ".txt" if columns is None else ".tsv, .csv, .jsonl or .json"
        raise ValueError(
            f"The folder {str(folder)!r} has no file that ends in {endings}, "
            "plain or .gz. Rename what is there, or give a list of files."
        )
    return files
