"""Reads files of one word a line with its tag, in the layouts that there are.

Two columns or more, with tabs or spaces between them: CoNLL-2003 has four,
CoNLL-U ten and comments, GermEval numbers its words, PAN-X puts the language
before each word, MIT's corpora have the tag first, and tables have a header.
"""

import collections
import csv
import dataclasses
import re

from keras_distill.data.readers.delimited import is_csv
from keras_distill.data.readers.tag_schemes import is_tag
from keras_distill.data.readers.tag_schemes import to_iob
from keras_distill.data.readers.text_lines import read_lines

# Files that hold nothing else, by their names.
TAGGED_ENDINGS = (".conll", ".conllu", ".iob", ".iob2", ".bio")
# A line between documents.
_DOCUMENT = "-DOCSTART-"
_SPACES = re.compile(" +")
# Such as "en:" before each word.
_LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[a-z]+)*:)(.+)", re.DOTALL)
# What a column with tags has in place of them in a file without.
_NO_TAGS = {"_", "-", "-1", "?"}
# CoNLL-U: words that are written as one, and words that are not written.
_NO_WORD = re.compile(r"\d+[-.]\d+")
_CONLLU_COLUMNS = 10

# Names of columns in a header, without case.
WORD_NAMES = {"word", "words", "token", "tokens", "text", "form"}
TAG_NAMES = {
    *("tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags"),
    *("iob", "bio", "entity"),
}
_SENTENCE_NAMES = {"sentence", "sentence #", "sentence_id", "sent_id"}
_OTHER_NAMES = {"", "id", "index", "pos", "chunk", "lemma", "#"}


@dataclasses.dataclass(frozen=True)
class Sentence:
    """The words of a sentence, and the tag of each.

    Attributes:
        line: int. The number of its first line.
        lines: list of int. The number of each word's line.
        words: list of str.
        tags: list of str in IOB, or `None` in a file without tags.
    """

    line: int
    lines: list
    words: list
    tags: list | None


def read_sentences(
    path,
    bad,
    encoding=None,
    word_column=None,
    tag_column=None,
    known_tags=None,
):
    """Reads the sentences of a file.

    Args:
        path: `pathlib.Path`. Plain or `.gz`; `.csv` with commas or semicolons.
        bad: `BadRows`, of sentences. What happens to a sentence with a line
            that cannot be read.
        encoding: as for `read_lines`.
        word_column: int. The place of the words, from 0. Defaults to `None`:
            the first column that is no other.
        tag_column: int. The place of the tags, from 0, or from the end below
            0. Defaults to `None`: the column that holds tags; of several the
            one of `known_tags`, or the last.
        known_tags: collection of str. The tags that there may be. Defaults to
            `None`: any.

    Returns:
        List of `Sentence`.

    Raises:
        ValueError: a bad line, a file without sentences, or one whose columns
            do not show which holds the tags, with the file and the line.
    """
    rows = _rows(path, encoding, bad)
    header = _header(rows)
    if header is not None:
        rows = rows[1:]
    layout = _Layout(path, rows, header, word_column, tag_column, known_tags)
    sentences = []
    for group in layout.groups(rows):
        try:
            sentence = layout.sentence(group)
        except _BadLine as error:
            bad.add(error.line, error)
            continue
        if sentence is not None:
            sentences.append(sentence)
    if not sentences and not bad.count:
        raise ValueError(f"{path}:1: the file holds no sentence.")
    return _without_language(sentences)


class _BadLine(ValueError):
    def __init__(self, line, message):
        super().__init__(message)
        self.line = line


class _Unread:
    """Keeps the lines that cannot be decoded; each spoils its sentence."""

    def __init__(self):
        self.rows = []

    def add(self, line, message):
        self.rows.append((line, str(message)))


def _rows(path, encoding, bad):
    """The number of each line, and its fields.

    These are `None` between sentences, and a message of what is wrong with a
    line that cannot be decoded.
    """
    unread = _Unread() if bad.skip else bad
    delimiter, with_commas = None, is_csv(path)
    rows = []
    for number, text in read_lines(path, None, encoding, unread):
        if not text.strip():
            fields = None
        elif with_commas:
            if delimiter is None:
                delimiter = max(",;\t", key=text.count)
            fields = next(csv.reader([text], delimiter=delimiter))
        elif "\t" in text:
            word, *others = text.split("\t")
            fields = [word, *(field.strip(" ") for field in others)]
        else:
            fields = _SPACES.split(text.strip(" "))
        rows.append((number, fields))
    if bad.skip and unread.rows:
        rows = sorted(rows + unread.rows, key=lambda row: row[0])
    return rows


def _header(rows):
    """The names of the columns, if the first line holds them."""
    first = next((fields for _, fields in rows[:1]), None)
    if not isinstance(first, list):
        return None
    names = [field.strip().casefold() for field in first]
    known = WORD_NAMES | TAG_NAMES | _SENTENCE_NAMES | _OTHER_NAMES
    is_header = WORD_NAMES & set(names) and TAG_NAMES & set(names)
    return names if is_header and set(names) <= known else None


class _Layout:
    """Which column is what."""

    def __init__(self, path, rows, header, word_column, tag_column, known_tags):
        self._path = path
        regular = [
            fields
            for (_, before), (_, fields) in zip(
                [(0, None), *rows], rows, strict=False
            )
            if isinstance(fields, list)
            and fields[0] != _DOCUMENT
            and not _may_be_comment(fields, before)
        ]
        widths = collections.Counter(map(len, regular))
        self._width = widths.most_common(1)[0][0] if widths else 1
        regular = [fields for fields in regular if len(fields) == self._width]
        self._sentence_column = None
        if header is not None:
            found = {
                kind: next(i for i, n in enumerate(header) if n in names)
                for kind, names in (
                    ("word", WORD_NAMES),
                    ("tag", TAG_NAMES),
                    ("sentence", _SENTENCE_NAMES),
                )
                if names & set(header)
            }
            word_column = found["word"] if word_column is None else word_column
            tag_column = found["tag"] if tag_column is None else tag_column
            self._sentence_column = found.get("sentence")
        self._has_numbers = self._width > 2 and all(
            re.fullmatch(r"\d+([-.]\d+)?", fields[0]) for fields in regular
        )
        self._tag = self._place(tag_column, "tag_column")
        self._word = self._place(word_column, "word_column")
        if self._tag is None and self._width > 1:
            self._tag = self._find_tags(regular, known_tags)
        if self._word is None:
            self._word = next(
                place
                for place in range(self._has_numbers, self._width + 1)
                if place != self._tag
            )
        if self._word == self._tag:
            raise ValueError(
                f"{path}: `word_column` and `tag_column` must be two columns. "
                f"Received: {self._word} for both."
            )
        self._has_tags = self._tag is not None and not (
            regular and all(f[self._tag] in _NO_TAGS for f in regular)
        )

    def groups(self, rows):
        """Yields the rows of each sentence."""
        group, before, number_of = [], None, None
        for line, fields in rows:
            if fields is None or fields[0] == _DOCUMENT:
                yield group
                group, before = [], None
                continue
            if isinstance(fields, str):
                group.append((line, fields))
                continue
            if self._is_comment(fields, before):
                before = fields
                continue
            if self._sentence_column is not None:
                place = min(self._sentence_column, len(fields) - 1)
                if fields[place].strip() not in ("", number_of):
                    number_of = fields[place].strip()
                    yield group
                    group = []
            group.append((line, fields))
            before = fields
        yield group

    def sentence(self, group):
        """The `Sentence` of some rows, or `None` of none."""
        lines, words, tags = [], [], []
        for line, fields in group:
            if isinstance(fields, str):
                raise _BadLine(line, fields)
            if len(fields) == self._width + 1 and not fields[-1]:
                fields = fields[:-1]
            if len(fields) != self._width:
                raise _BadLine(line, self._wrong_width(fields))
            if self._width == _CONLLU_COLUMNS and _NO_WORD.fullmatch(fields[0]):
                continue
            if not fields[self._word]:
                raise _BadLine(
                    line, "the word is empty; fill it in or delete the line."
                )
            lines.append(line)
            words.append(fields[self._word])
            if self._has_tags:
                tags.append(to_iob(fields[self._tag].strip()))
        if not words:
            return None
        return Sentence(
            lines[0], lines, words, tags if self._has_tags else None
        )

    def _place(self, column, name):
        if column is None:
            return None
        if isinstance(column, bool) or not isinstance(column, int):
            raise ValueError(
                f"`{name}` must be the place of a column, from 0. Received: "
                f"{name}={column!r}."
            )
        if not -self._width <= column < self._width:
            raise ValueError(
                f"{self._path}: `{name}` must be one of {self._width} columns, "
                f"from 0. Received: {name}={column}."
            )
        return column % self._width

    def _find_tags(self, regular, known_tags):
        """The column that holds tags."""
        columns = list(zip(*regular, strict=True))
        # Some words look like tags, and a line may hold a bad one.
        found = [
            place
            for place, fields in enumerate(columns)
            if 2 * sum(is_tag(field.strip()) for field in fields) > len(fields)
        ]
        if not found:
            if self._width == _CONLLU_COLUMNS and self._has_numbers:
                raise ValueError(
                    f"{self._path}: of the ten columns of CoNLL-U none holds "
                    "IOB tags; `tag_column` says which one is to be read."
                )
            return self._width - 1
        if known_tags is not None and len(found) > 1:
            fitting = [
                place
                for place in found
                if set(map(to_iob, columns[place])) <= set(known_tags)
            ]
            found = fitting or found
        # CoNLL-2003 has chunks before names.
        if len(found) > 1 and self._has_numbers:
            raise ValueError(
                f"{self._path}: the columns {', '.join(map(str, found))} (from "
                "0) all hold tags; `tag_column` says which one is to be read."
            )
        return found[-1]

    def _is_comment(self, fields, before):
        if not _may_be_comment(fields, before):
            return False
        is_row = len(fields) == self._width and self._tag is not None
        return not (is_row and is_tag(fields[self._tag]))

    def _wrong_width(self, fields):
        if self._width == 2:
            return (
                "expected a word and its tag with a tab or spaces between "
                f"them, found {len(fields)} columns; mend or delete the line."
            )
        return (
            f"expected {self._width} columns, as most lines have, found "
            f"{len(fields)}; mend or delete the line."
        )


def _may_be_comment(fields, before):
    """Whether a line before a sentence begins as a comment does."""
    if not fields[0].startswith("#"):
        return False
    return not isinstance(before, list) or before[0].startswith("#")


def _without_language(sentences):
    """Takes away a language that stands before every word."""
    words = (word for sentence in sentences for word in sentence.words)
    prefixes = set()
    for word in words:
        found = _LANGUAGE.fullmatch(word)
        prefixes.add(found and found[1])
        if len(prefixes) > 1 or None in prefixes:
            return sentences
    length = len(prefixes.pop()) if prefixes else 0
    return [
        dataclasses.replace(
            sentence, words=[word[length:] for word in sentence.words]
        )
        for sentence in sentences
    ]
