"""The tables of results, for people and for programs."""

from keras_distill import io
from keras_distill.evaluation import figures


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
    return io.markdown_table(["dev split, × 100", *columns], cells)


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
    return io.markdown_table(
        ["dev split, phrase F1 × 100", *scores],
        [*rows, ["mean over languages", *means]],
    )


def percent(value):
    """A number times 100 with one decimal, or a dash.

    Args:
        value: Optional float.

    Returns:
        str.
    """
    return figures.cell(value, figures.percent)
