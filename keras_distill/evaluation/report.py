"""The report of a distillation: one page to read, one file to compute with."""

import collections.abc
import contextlib
import dataclasses
import datetime
import html
import json
import os
import string
from importlib import resources

from keras_distill.evaluation import environment
from keras_distill.evaluation import figures
from keras_distill.evaluation import plots
from keras_distill.evaluation.comparison import aggregate_comparisons
from keras_distill.evaluation.verdict import highlights
from keras_distill.evaluation.verdict import verdict
from keras_distill.io.json_file import plain
from keras_distill.io.json_file import to_text
from keras_distill.io.saving import flush_to_disk
from keras_distill.io.saving import local_path
from keras_distill.io.saving import replaced_file

_FILES = ("report.json", "report.html", "report.md")


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
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"`folder` must be a folder. Received a file: {str(folder)!r}."
        )
    if not overwrite:
        _check_own(folder)
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
    with contextlib.ExitStack() as stack:
        # All are on the disk before the first takes its place.
        for name, content in reversed(text.items()):
            file = stack.enter_context(replaced_file(folder / name))
            file.write_text(content, encoding="utf-8")
            flush_to_disk(file)
    return folder / "report.html"


def _check_own(folder):
    """Raises if files of a report are there that we did not write."""
    there = [name for name in _FILES if os.path.lexists(folder / name)]
    if not there or _is_report(folder / _FILES[0]):
        return
    raise ValueError(
        f"`folder` holds {there[0]}, which is of no report that was written "
        "here. Choose another folder, or pass overwrite=True to replace it. "
        f"Received: {str(folder)!r}"
    )


def _is_report(path):
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and {"verdict", "comparison"} <= set(
        content
    )


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
    parts += ["## How to run it again", f"```\n{report['command']}\n```"]
    for title, facts in environment.run_facts(report).items():
        if facts:
            lines = [f"- {name}: {value}" for name, value in facts.items()]
            parts += [f"### {title}", "\n".join(lines)]
    if report["notes"]:
        parts += ["## Notes", "\n".join(f"- {n}" for n in report["notes"])]
    parts += [
        "## What the numbers mean",
        "\n".join(f"{number}. {note}" for note, number in notes.items()),
        f"A dash ({figures.DASH}) stands for a number not known.",
    ]
    return "\n\n".join(parts) + "\n"


TEMPLATE = "report_template.html"
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
    template = resources.files(__package__).joinpath(TEMPLATE)
    cards = highlights(comparison, student, baseline)
    sections = [
        _comparison_section(report, student),
        _trade_off_section(comparison),
        _seeds_section(report, student),
        _curves_section(report["histories"]),
        _run_section(report),
        _notes_section(report),
        _meaning_section(report),
    ]
    return string.Template(template.read_text(encoding="utf-8")).substitute(
        title=html.escape(report["title"]),
        verdict=html.escape(report["verdict"]),
        cards="\n".join(
            f"<div><dt>{html.escape(meaning)}</dt>"
            f"<dd>{html.escape(number)}</dd></div>"
            for number, meaning in cards
        ),
        sections="\n".join(filter(None, sections)),
        date=html.escape(report["date"]),
    )


def _comparison_section(report, student):
    comparison = report["comparison"]
    table = _drawntable(comparison, comparison["rows"], student)
    return _section(
        "Side by side",
        f'<p class="soft">Task {html.escape(comparison["task"])}, '
        f"{comparison['num_examples']:,} dev examples.</p>\n{table}",
    )


def _seeds_section(report, student):
    rows = report["seeds_summary"]
    if rows is None:
        return ""
    table = _drawntable(report["comparison"], rows, student)
    return _section(
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
    return _scroll(
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
        _figure(
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
    return _section(
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
                drawn.append(_figure(f"{kind}, epoch by epoch", alt, svg))
        if drawn:
            blocks.append(
                f"<h3>{html.escape(stage)}</h3>\n"
                f'<div class="plots">\n{"".join(drawn)}</div>'
            )
    if not blocks:
        return ""
    hint = '<p class="soft">Dashed lines are the dev split.</p>\n'
    return _section("Training", hint + "\n".join(blocks))


def _run_section(report):
    command = html.escape(report["command"])
    parts = [f'<pre tabindex="0"><code>{command}</code></pre>']
    tables = [
        f"<div><h3>{html.escape(title)}</h3>\n"
        f"{_facts_table(title, facts)}</div>"
        for title, facts in environment.run_facts(report).items()
        if facts
    ]
    parts.append(f'<div class="facts">\n{"".join(tables)}</div>')
    return _section("How to run it again", "\n".join(parts))


def _facts_table(title, facts):
    rows = "\n".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        f"<td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    return _scroll(title, "told", f"<tbody>\n{rows}\n</tbody>")


def _notes_section(report):
    if not report["notes"]:
        return ""
    items = "".join(f"<li>{html.escape(note)}</li>" for note in report["notes"])
    return _section("Notes", f"<ul>{items}</ul>")


def _meaning_section(report):
    listed = figures.all_figures(report["comparison"])
    items = "\n".join(
        f'<li id="note-{number}">{html.escape(note)}</li>'
        for note, number in figures.note_numbers(listed).items()
    )
    missing = f"A dash ({figures.DASH}) stands for a number not known."
    return _section(
        "What the numbers mean", f"<ol>\n{items}\n</ol>\n<p>{missing}</p>"
    )


def _section(title, body):
    return f"<section>\n<h2>{html.escape(title)}</h2>\n{body}\n</section>"


def _scroll(label, kind, table):
    # Focusable, so that the keyboard can scroll it too.
    return (
        f'<div class="scroll" role="region" tabindex="0" '
        f'aria-label="{html.escape(label)}">\n'
        f'<table class="{kind}">\n{table}\n</table></div>'
    )


def _figure(caption, alternative, svg):
    alternative = html.escape(alternative)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{alternative}"', 1)
    return (
        f"<figure>\n<figcaption>{html.escape(caption)}</figcaption>\n"
        f"{svg}\n</figure>\n"
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
