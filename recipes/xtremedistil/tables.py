"""The tables of results, for people and for programs."""

import json

from keras_distill.io.saving import replaced_file

_MISSING = "–"


def targets_table(results):
    """A table with a column for each target and split of it.

    Args:
        results: list of dict, as `targets.transfer` returns them.

    Returns:
        str. Markdown.
    """
    columns, keys = [], []
    for result in results:
        name = f"{result['target']}, {result['metric'].replace('_', ' ')}"
        columns.append(name)
        keys.append((result, result["metric"]))
        for split in result.get("further", ()):
            columns.append(f"{name} on {split}")
            keys.append((result, f"{result['metric']}_{split}"))
    rows = dict.fromkeys(row for result in results for row in result["models"])
    cells = [
        [row]
        + [
            percent(result["models"].get(row, {}).get(key))
            for result, key in keys
        ]
        for row in rows
    ]
    return markdown(["dev split, × 100", *columns], cells)


def languages_table(scores):
    """A table with the phrase F1 of each language.

    Args:
        scores: dict of model name to what
            `TaggingTask.measure_languages` returned.

    Returns:
        str. Markdown.
    """
    languages = list(next(iter(scores.values()))["languages"])
    rows = [
        [language]
        + [
            percent(found["languages"][language]["phrase_f1"])
            for found in scores.values()
        ]
        for language in languages
    ]
    means = [percent(found["phrase_f1"]) for found in scores.values()]
    return markdown(
        ["dev split, phrase F1 × 100", *scores],
        [*rows, ["mean over languages", *means]],
    )


def markdown(header, rows):
    """Formats a table whose numbers stand to the right.

    Args:
        header: list of str.
        rows: list of list of str.

    Returns:
        str.
    """
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(value):
    """A number times 100 with one decimal, or a dash.

    Args:
        value: Optional float.

    Returns:
        str.
    """
    is_missing = value is None or value != value
    return _MISSING if is_missing else f"{100 * value:.1f}"


def write(path, text):
    """Writes a text file, whole or not at all.

    Args:
        path: `pathlib.Path`.
        text: str.
    """
    with replaced_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, content):
    """Writes a JSON file, whole or not at all; what is no number is `null`.

    Args:
        path: `pathlib.Path`.
        content: dict or list.
    """
    text = json.dumps(_plain(content), indent=2, ensure_ascii=False)
    write(path, text + "\n")


def read_json(path):
    """Reads what `write_json` wrote.

    Args:
        path: `pathlib.Path`.

    Returns:
        dict or list, or `None` if there is no such file.
    """
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged ({error}). Remove it to do its part anew."
        ) from error


def _plain(content):
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    return None if content != content else content
