"""Reads tagged sentences from JSON: a list of words and one of their tags.

Hugging Face's data sets are written so: `{"tokens": ["Anna", "sings"],
"ner_tags": ["B-PER", "O"]}`, their tags also by number.
"""

from keras_distill.data.readers import jsonl
from keras_distill.data.readers.column_names import find_columns
from keras_distill.data.readers.tag_schemes import to_iob
from keras_distill.data.readers.tagged_words import TAG_NAMES
from keras_distill.data.readers.tagged_words import WORD_NAMES
from keras_distill.data.readers.tagged_words import Sentence


def find_words(row):
    """The columns of a row that hold lists of words, by their names.

    Args:
        row: dict of a column's name to its value.

    Returns:
        List of str.
    """
    return _lists_named(row, WORD_NAMES)


def read_json_sentences(
    path,
    bad,
    encoding=None,
    word_column=None,
    tag_column=None,
    known_tags=None,
):
    """Reads the sentences of a file of JSON objects.

    Args:
        path: `pathlib.Path`. Plain or `.gz`.
        bad: `BadRows`, of sentences. What happens to one that cannot be read.
        encoding: as for `read_lines`.
        word_column: str. The name of the words. Defaults to `None`: that of
            the list that is called so, such as `"tokens"`.
        tag_column: str. The name of the tags. Defaults to `None`: that of the
            list that is called so, such as `"ner_tags"`, if there is one.
        known_tags: sequence of str, or dict with them as keys. The tags that
            numbers are of, in their order. Defaults to `None`: tags must be
            spelled out.

    Returns:
        List of `Sentence`.

    Raises:
        ValueError: a bad sentence, a file without any, or one whose columns
            do not show which hold words and tags, with the file and the line.
    """
    first = jsonl.read_first(path, encoding)
    try:
        word_column = _choose(first, "word_column", word_column, WORD_NAMES)
        if word_column is None:
            raise ValueError(
                "no column holds a list of words that is called so; "
                "`word_column` says which one is to be read. The columns are: "
                f"{', '.join(first)}."
            )
        tag_column = _choose(first, "tag_column", tag_column, TAG_NAMES)
    except ValueError as error:
        raise ValueError(f"{path}:1: {error}") from error
    columns = [word_column] if tag_column is None else [word_column, tag_column]
    names = None if known_tags is None else list(known_tags)
    sentences = []
    rows = jsonl.read_columns(
        path, columns, None, bad, encoding, columns[1:], columns
    )
    for line, values in rows:
        try:
            sentences.append(_sentence(line, *values, names=names))
        except ValueError as error:
            bad.add(line, error)
    if not sentences and not bad.count:
        raise ValueError(f"{path}:1: the file holds no sentence.")
    return sentences


def _lists_named(row, names):
    return [
        name
        for name, value in row.items()
        if isinstance(value, list) and name.strip().casefold() in names
    ]


def _choose(row, argument, column, names):
    """The name of a column as the file has it, or `None`."""
    if column is not None:
        if not isinstance(column, str):
            raise ValueError(
                f"`{argument}` must be the name of a column of JSON. Received: "
                f"{argument}={column!r}."
            )
        [place] = find_columns(list(row), [column])
        return list(row)[place]
    found = _lists_named(row, names)
    if len(found) > 1:
        raise ValueError(
            f"the columns {', '.join(found)} may all be meant; `{argument}` "
            "says which one is to be read."
        )
    return found[0] if found else None


def _sentence(line, words, tags="", names=None):
    if not isinstance(words, list) or not words:
        raise ValueError(f"the words are {words!r}, not a list of them.")
    empty = [place for place, word in enumerate(words) if not word.strip()]
    if empty:
        raise ValueError(
            f"word {empty[0] + 1} is empty; fill it in or delete the line."
        )
    # A test split may have null in the place of tags.
    if tags == "":
        return Sentence(line, [line] * len(words), words, None)
    if not isinstance(tags, list) or len(tags) != len(words):
        count = len(tags) if isinstance(tags, list) else repr(tags)
        raise ValueError(f"there are {len(words)} words and {count} tags.")
    return Sentence(
        line,
        [line] * len(words),
        words,
        [to_iob(_tag(tag.strip(), names)) for tag in tags],
    )


def _tag(tag, names):
    """A tag that is a number by its name."""
    if not tag.isdecimal():
        return tag
    if names is None:
        raise ValueError(
            f"the tag {tag} is a number; pass the tags' names in their order "
            "as `label_names`."
        )
    if int(tag) >= len(names):
        raise ValueError(
            f"the tag {tag} is none of the {len(names)}, from 0, that are "
            f"known: {', '.join(names)}."
        )
    return names[int(tag)]
