"""Reads questions about paragraphs, in the JSON of SQuAD.

Rajpurkar et al., 2016, https://arxiv.org/abs/1606.05250; version 2.0 has
questions without an answer besides.
"""

import dataclasses
import json

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.text_lines import read_lines


@dataclasses.dataclass(frozen=True)
class Question:
    """A question about a paragraph.

    Attributes:
        id: str.
        text: str.
        answers: tuple of pairs of the answer's first character in the
            paragraph and its text; empty where there is no answer.
    """

    id: str
    text: str
    answers: tuple


@dataclasses.dataclass(frozen=True)
class Paragraph:
    """A paragraph of an article, and the questions about it."""

    title: str
    text: str
    questions: tuple


def read_squad(path, encoding=None, skip_bad_rows=False):
    """Reads the paragraphs of a file.

    Args:
        path: `pathlib.Path`. JSON, plain or `.gz`.
        encoding: string. Defaults to `None`: UTF-8.
        skip_bad_rows: bool. Whether to leave out questions that cannot be
            read, such as those whose answer is not in the paragraph. Defaults
            to `False`: the first one raises.

    Returns:
        List of `Paragraph`, in their order, also those without questions.

    Raises:
        ValueError: another file, or a bad question, with the file and the
            place in it.
    """
    document = _document(path, encoding)
    bad = BadRows(path, skip_bad_rows, "questions")
    found = []
    for i, article in enumerate(_list(document, "data", path, "the file")):
        where = f"data[{i}]"
        for j, part in enumerate(_list(article, "paragraphs", path, where)):
            found.append(
                _paragraph(part, article, path, f"{where}.paragraphs[{j}]", bad)
            )
    bad.tell()
    if not any(paragraph.questions for paragraph in found):
        raise ValueError(f"{path}: the file has no question.")
    return found


def _document(path, encoding):
    lines = list(read_lines(path, None, encoding))
    try:
        return json.loads("\n".join(line for _, line in lines))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}:{error.lineno}: the file is not JSON ({error.msg}: column "
            f"{error.colno})."
        ) from error
    except RecursionError as error:
        raise ValueError(
            f"{path}:1: the file is not JSON ({error})."
        ) from error


def _paragraph(part, article, path, where, bad):
    text = _string(part, "context", path, where)
    questions = []
    for k, entry in enumerate(_list(part, "qas", path, where)):
        place = f"{where}.qas[{k}]"
        try:
            questions.append(_question(entry, text, place))
        except ValueError as error:
            # In such a file, often a single line, the place says more.
            bad.add(place, error)
    title = article.get("title", "")
    return Paragraph(str(title), text, tuple(questions))


def _question(entry, context, where):
    if not isinstance(entry, dict):
        raise ValueError(f"a question is no object, but {str(entry)[:40]!r}.")
    text = entry.get("question")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"the question is {text!r}, no text.")
    answers = entry.get("answers", ())
    if entry.get("is_impossible"):
        # 2.0 keeps what looks like one elsewhere, too.
        answers = ()
    try:
        answers = tuple(
            (answer["answer_start"], answer["text"]) for answer in answers
        )
    except (KeyError, TypeError):
        raise ValueError(
            'the answers must be a list of objects with "text" and '
            f'"answer_start". Received: {str(answers)[:60]}.'
        ) from None
    for start, answer in answers:
        is_there = isinstance(answer, str) and isinstance(start, int)
        is_there = is_there and start >= 0 and answer.strip()
        if not is_there or not context.startswith(answer, start):
            raise ValueError(
                f"the answer {answer!r} does not begin at character {start!r} "
                "of the paragraph."
            )
    return Question(str(entry.get("id", where)), text, answers)


def _list(value, key, path, where):
    if isinstance(value, dict) and isinstance(value.get(key), list):
        return value[key]
    raise ValueError(
        f"{path}: {where} must be an object with a list {key!r}, as in SQuAD's "
        f"JSON. Received: {_shown(value)}."
    )


def _string(value, key, path, where):
    if isinstance(value, dict) and isinstance(value.get(key), str):
        return value[key]
    raise ValueError(
        f"{path}: {where} must have a text {key!r}. Received: {_shown(value)}."
    )


def _shown(value):
    if isinstance(value, dict):
        return f"an object of {', '.join(map(str, value)) or 'nothing'}"
    return type(value).__name__
