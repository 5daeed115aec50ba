"""Documents of a corpus of plain text, in constant memory."""

from keras_distill.data.readers.sentences import split_into_sentences
from keras_distill.data.readers.text_files import find_text_files
from keras_distill.data.readers.text_lines import check_encoding
from keras_distill.data.readers.text_lines import read_lines

# Characters after which a document is cut: a file without empty lines is one.
_LONGEST = 1 << 20


def read_documents(path, encoding=None):
    """Yields the documents of a corpus of plain text.

    An empty line ends a document, and so does the end of a file. A line is a
    sentence, or a paragraph, which is cut into sentences by
    `keras_distill.data.readers.sentences`. A document of more than a million
    characters goes on as another one, so that memory stays small whatever the
    files are.

    Args:
        path: str or path of a file or a folder, or a list of them. Of a
            folder those below it are read that end in `.txt` or `.txt.gz`, in
            the order of their paths; hidden ones are not.
        encoding: Optional str. The encoding of files without byte order mark,
            such as `"cp1252"`. Defaults to `None`: UTF-8.

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
    check_encoding(encoding)
    return _read(find_text_files(path), encoding, path)


def _read(files, encoding, path):
    is_empty = True
    for file in files:
        for document in _documents_of(file, encoding):
            is_empty = False
            yield document
    if is_empty:
        raise ValueError(f"There is no text in {path}: all lines are empty.")


def _documents_of(file, encoding):
    sentences, length = [], 0
    for _, line in read_lines(file, encoding=encoding):
        found = split_into_sentences(line)
        sentences += found
        length += len(line)
        if sentences and (not found or length > _LONGEST):
            yield sentences
            sentences, length = [], 0
    if sentences:
        yield sentences
