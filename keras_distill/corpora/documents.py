"""Documents of a corpus of plain text, in constant memory."""

import os

from keras_distill.corpora import wikipedia
from keras_distill.data.readers.sentences import split_into_sentences
from keras_distill.data.readers.text_files import find_text_files
from keras_distill.data.readers.text_lines import check_encoding
from keras_distill.data.readers.text_lines import read_lines

# Characters after which a document is cut: a file without empty lines is one.
_LONGEST = 1 << 20


def read_documents(path, encoding=None, data_dir=None):
    """Yields the documents of a corpus of plain text.

    An empty line ends a document, and so does the end of a file. A line is a
    sentence, or a paragraph, which is cut into sentences by
    `keras_distill.data.readers.sentences`. A document of more than a million
    characters goes on as another one, so that memory stays small whatever the
    files are.

    Args:
        path: str or path of a file or a folder, or a list of them. Of a
            folder those below it are read that end in `.txt` or `.txt.gz`, in
            the order of their paths; hidden ones are not. Or `"wikipedia"`,
            with a configuration such as `"wikipedia/20230601.de"`, where
            nothing of this name lies here: TensorFlow Datasets' Wikipedia,
            an article a document.
        encoding: Optional str. The encoding of files without byte order mark,
            such as `"cp1252"`. Defaults to `None`: UTF-8.
        data_dir: Optional path. Where TensorFlow Datasets keeps its files.
            Defaults to `None`, its own default.

    Yields:
        Lists of str, the sentences of a document; none is empty.

    Raises:
        ValueError: no such file, a folder without one, no text at all, or
            what cannot be decoded, with the file and the line.

    Example:

    ```python
    import pathlib

    from keras_distill import corpora

    pathlib.Path("wiki.txt").write_text("It is art. So it is.\\n\\nTea\\n")
    print(list(corpora.read_documents("wiki.txt")))
    # [['It is art.', 'So it is.'], ['Tea']]
    ```
    """
    # Not where the first document is asked for: a typing error is told at once.
    return _not_empty(open_source(path, encoding, data_dir), path)


def open_source(path, encoding=None, data_dir=None):
    """Where documents come from: files, or TensorFlow Datasets' Wikipedia.

    It has `documents()`, which yields them; `identity(hash_of)`, which tells
    it from others, `hash_of` being a function of a file's path; and how many
    of `total` `unit` are `done`.
    """
    check_encoding(encoding)
    if wikipedia.is_name(path):
        return wikipedia.Wikipedia(path, data_dir)
    return _Files(find_text_files(path), encoding)


def _not_empty(source, path):
    document = None
    for document in source.documents():
        yield document
    if document is None:
        raise ValueError(f"There is no text in {path}: all lines are empty.")


class _Files:
    """The documents of files."""

    unit = "bytes"

    def __init__(self, files, encoding):
        self._files = files
        self._encoding = encoding
        self.total = sum(os.path.getsize(file) for file in files)
        self.done = 0

    def identity(self, hash_of):
        return [self._encoding, *map(hash_of, self._files)]

    def documents(self):
        before = 0
        for file in self._files:

            def advance(position, before=before):
                self.done = before + position

            lines = read_lines(file, advance, self._encoding)
            yield from _documents_of(line for _, line in lines)
            self.done = before = before + os.path.getsize(file)


def _documents_of(lines):
    sentences, length = [], 0
    for line in lines:
        found = split_into_sentences(line)
        sentences += found
        length += len(line)
        if sentences and (not found or length > _LONGEST):
            yield sentences
            sentences, length = [], 0
    if sentences:
        yield sentences
