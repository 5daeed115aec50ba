"""Tables of scores, in Markdown."""

from keras_distill import io
from keras_distill.evaluation import figures


def percent(value):
    """A share of 1 times 100 with one decimal, or a dash."""
    return figures.cell(value, figures.percent)


def show_table(path, table):
    """Writes a table into a file, and shows it."""
    io.write_text(path, table)
    io.make_console(soft_wrap=True, highlight=False).print(table)


def stages_table(results, metric):
    """What each stage came to; not all know of the task's metric."""
    return io.markdown_table(
        [
            *("step", "epochs", "best epoch", "loss on the dev split"),
            f"{metric.replace('_', ' ')} × 100 on the dev split",
        ],
        [
            [
                name,
                str(len(done.history["loss"])),
                # Epoch 0 is what the stage started from.
                str(done.best["epoch"]),
                f"{done.best['loss']:.4g}" if "loss" in done.best else "–",
                percent(done.best.get(metric)),
            ]
            for name, done in results.items()
        ],
    )


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
