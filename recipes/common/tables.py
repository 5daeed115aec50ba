"""Tables of scores, in Markdown."""

from keras_distill import io
from keras_distill.evaluation import figures


def percent(value):
    """A share of 1 times 100 with one decimal, or a dash."""
    return figures.cell(value, figures.percent)


def languages_table(scores):
    """The phrase F1 of each language: dict of model to what a task scored."""
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
