"""The report of a distillation: one page to read, one file to compute with."""

import collections.abc
import dataclasses
import datetime
import html

from keras_distill.evaluation import environment
from keras_distill.evaluation import figures
from keras_distill.evaluation import page
from keras_distill.evaluation import plots
from keras_distill.evaluation.comparison import aggregate_comparisons
from keras_distill.evaluation.verdict import highlights
from keras_distill.evaluation.verdict import verdict
from keras_distill.io.json_file import plain
from keras_distill.io.json_file import to_text
from keras_distill.io.saving import local_path


def write_report(
    folder,
    comparison,
    *,
    title,
    histories,
    seeds,
    command,
    config=None,
    timings=None,
    notes=(),
    seeds_summary=None,
    student="student",
    baseline="baseline",
    date=None,
    overwrite=False,
):
    """Writes `report.html`, `report.json` and `report.md` into a folder.

    The page is one file that loads nothing from anywhere. Each file is
    written under a temporary name first, and none is renamed before all are
    whole: when the disk is full an earlier report stays as it was. An earlier
    report is replaced; nothing else in the folder is touched.

    Args:
        folder: path. Made if missing. `~` is your home, and links are
            followed.
        comparison: `Comparison`, from `compare`.
        title: str.
        histories: dict of stage name to `History.history`: per epoch lists
            such as `"loss"`, `"attention_loss"`, `"val_accuracy"`.
        seeds: iterable of int. The random seeds of the run.
        command: str. The exact command that was run.
        config: optional dict or dataclass with the run's settings.
        timings: optional dict of stage name to wall-clock seconds.
        notes: iterable of str. What a reader should know besides. Defaults
            to `()`.
        seeds_summary: optional list of dict, one per seed, as
            `Comparison.to_dict()` returns them; adds a table of means and
            standard deviations.
        student: str. Row of the distilled model. Defaults to `"student"`.
        baseline: str or `None`. Row of the same model trained without a
            teacher, or `None` if there is none. Defaults to `"baseline"`.
        date: optional `datetime.datetime`. Defaults to now.
        overwrite: bool. Whether to replace files of these names that are of
            no report. Defaults to `False`.

    Returns:
        `pathlib.Path` of `report.html`.

    Raises:
        ValueError: if `student` or `baseline` is not a row of `comparison`,
            if a history is not made of lists, if `folder` is a file, or holds
            a file of such a name that is of no report.
        OSError: if the disk is full or cannot be written.

    Example:

    ```python
    import keras_hub
    from keras_distill import evaluation
    from keras_distill import students
    from keras_distill import tasks

    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "dull", "film"]
    )
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        tokenizer, sequence_length=8
    )
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=8, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=8,
    )
    teacher = keras_hub.models.BertTextClassifier(backbone, 2, preprocessor)
    student = students.create_student(teacher, num_layers=1)
    comparison = evaluation.compare(
        {"teacher": teacher, "student": student},
        tasks.get_task("sst2"),
        tasks.Examples((["good film", "dull film"],), [1, 0]),
        latency_runs=2,
        throughput_runs=1,
    )
    evaluation.write_report(
        "runs/mine",
        comparison,
        title="Films: one layer of two",
        histories={"prediction": {"loss": [0.7, 0.6]}},
        seeds=[1],
        command="python mine.py --seed 1",
        baseline=None,
    )
    ```
    """
    folder = local_path(folder)
    page.check_folder(folder, overwrite)
    _check_histories(histories)
    date = date or datetime.datetime.now().astimezone()
    report = plain(
        {
            "title": title,
            "verdict": verdict(comparison, student, baseline),
            "date": date.strftime("%Y-%m-%d %H:%M %Z").strip(),
            "command": command,
            "seeds": list(seeds),
            "config": _as_dict(config),
            "timings": dict(timings or {}),
            "notes": list(notes),
            "comparison": comparison.to_dict(),
            "seeds_summary": None
            if seeds_summary is None
            else aggregate_comparisons(seeds_summary),
            "histories": histories,
            "hardware": environment.hardware(),
            "versions": environment.versions(),
        }
    )
    text = {
        # First, since it is by this one that we know our own.
        "report.json": to_text(report),
        "report.html": _page(report, comparison, student, baseline),
        "report.md": _markdown(report),
    }
    return page.write(folder, text)


def _check_histories(histories):
    for stage, history in histories.items():
        for key, values in history.items():
            if not isinstance(values, (list, tuple)):
                raise ValueError(
                    f"`histories[{stage!r}][{key!r}]` must be a list with "
                    "one number per epoch, as `History.history` has. "
                    f"Received: {values!r}."
                )


def _as_dict(config):
    if config is None:
        return {}
    if isinstance(config, collections.abc.Mapping):
        return dict(config)
    return dataclasses.asdict(config)


def _markdown(report):
    comparison = report["comparison"]
    notes = figures.note_numbers(figures.all_figures(comparison))
    parts = [
        f"# {report['title']}",
        report["verdict"],
        f"Task {comparison['task']}, {comparison['num_examples']:,} dev "
        "examples.",
        figures.to_markdown(comparison, comparison["rows"]).rstrip(),
    ]
    summary = report["seeds_summary"]
    if summary is not None:
        parts += [
            f"## Over {summary[0]['seeds']} seeds",
            SEEDS_HINT,
            figures.to_markdown(comparison, summary).rstrip(),
        ]
    parts += page.markdown_of_run(report)
    parts += [
        "## What the numbers mean",
        "\n".join(f"{number}. {note}" for note, number in notes.items()),
        f"A dash ({figures.DASH}) stands for a number not known.",
    ]
    return "\n\n".join(parts) + "\n"


SEEDS_HINT = (
    "Mean ± standard deviation of the runs; a number without ± was the same "
    "in all of them."
)


def _page(report, comparison, student, baseline):
    """Renders the page.

    Args:
        report: dict, as it stands in `report.json`.
        comparison: `Comparison`.
        student: str. Row of the distilled model.
        baseline: str or `None`. Row of the same model without a teacher.

    Returns:
        str. HTML that loads nothing from anywhere.
    """
    sections = [
        _comparison_section(report, student),
        _trade_off_section(comparison),
        _seeds_section(report, student),
        _curves_section(report["histories"]),
        page.run_section(report),
        page.notes_section(report),
        _meaning_section(report),
    ]
    return page.render(
        report, highlights(comparison, student, baseline), sections
    )


def _comparison_section(report, student):
    comparison = report["comparison"]
    table = _drawntable(comparison, comparison["rows"], student)
    return page.section(
        "Side by side",
        f'<p class="soft">Task {html.escape(comparison["task"])}, '
        f"{comparison['num_examples']:,} dev examples.</p>\n{table}",
    )


def _seeds_section(report, student):
    rows = report["seeds_summary"]
    if rows is None:
        return ""
    table = _drawntable(report["comparison"], rows, student)
    return page.section(
        f"Over {rows[0]['seeds']} seeds",
        f'<p class="soft">{SEEDS_HINT}</p>\n{table}',
    )


def _drawntable(comparison, rows, student):
    listed = figures.all_figures(comparison)
    numbers = figures.note_numbers(listed)
    lines = []
    group = None
    for figure in listed:
        if figure.group != group:
            group = figure.group
            lines.append(
                '<tr class="group"><th scope="rowgroup" '
                f'colspan="{len(rows) + 1}">{group}</th></tr>'
            )
        number = numbers[figure.note]
        cells = "".join(
            f"<td{_mark(row, student)}>{figure.cell(row)}</td>" for row in rows
        )
        lines.append(
            f'<tr><th scope="row">{html.escape(figure.label)} '
            f'<span class="unit"><span>{html.escape(figure.unit)}</span>'
            f'<sup><a href="#note-{number}" aria-label="note {number}">'
            f"{number}</a></sup></span></th>{cells}</tr>"
        )
    heads = "".join(
        f'<th scope="col"{_mark(row, student)}>{html.escape(row["name"])}</th>'
        for row in rows
    )
    return page.scroll(
        "models side by side",
        "compared",
        f'<thead><tr><th scope="col">Measure</th>{heads}</tr></thead>\n'
        "<tbody>\n" + "\n".join(lines) + "\n</tbody>",
    )


def _mark(row, student):
    return ' class="student"' if row["name"] == student else ""


def _trade_off_section(comparison):
    metric = figures.metric_name(comparison.selection_metric)
    drawn = [
        page.figure(
            f"{metric} against {cost}: up is better, left is {better}",
            f"Scatter plot of {metric} against {cost}, a point per model. "
            "The table has the numbers.",
            svg,
        )
        for cost, better, svg in (
            ("latency", "faster", plots.quality_against_latency(comparison)),
            ("size", "smaller", plots.quality_against_size(comparison)),
        )
    ]
    return page.section(
        "What quality costs", f'<div class="plots">\n{"".join(drawn)}</div>'
    )


def _curves_section(histories):
    blocks = []
    for i, (stage, history) in enumerate(histories.items()):
        drawn = []
        for kind, keys in split_history(history).items():
            if keys:
                svg = plots.curves(history, keys, kind, f"{kind}-{i}")
                alt = f"Line plot per epoch of {', '.join(keys)} in {stage}."
                drawn.append(page.figure(f"{kind}, epoch by epoch", alt, svg))
        if drawn:
            blocks.append(
                f"<h3>{html.escape(stage)}</h3>\n"
                f'<div class="plots">\n{"".join(drawn)}</div>'
            )
    if not blocks:
        return ""
    hint = '<p class="soft">Dashed lines are the dev split.</p>\n'
    return page.section("Training", hint + "\n".join(blocks))


def _meaning_section(report):
    listed = figures.all_figures(report["comparison"])
    items = "\n".join(
        f'<li id="note-{number}">{html.escape(note)}</li>'
        for note, number in figures.note_numbers(listed).items()
    )
    missing = f"A dash ({figures.DASH}) stands for a number not known."
    return page.section(
        "What the numbers mean", f"<ol>\n{items}\n</ol>\n<p>{missing}</p>"
    )


def split_history(history):
    """Sorts a history's quantities into losses and metrics.

    Args:
        history: dict of str to list of float, as `History.history` is.

    Returns:
        Dict `{"loss": [...], "metric": [...]}` of key names in their order.
        The learning rate is neither.
    """
    keys = [key for key in history if key != "learning_rate"]
    return {
        "loss": [key for key in keys if "loss" in key],
        "metric": [key for key in keys if "loss" not in key],
    }
