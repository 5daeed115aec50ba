"""The report of a distillation: one page to read, one file to compute with."""

import collections.abc
import contextlib
import dataclasses
import datetime
import json
import os

from keras_distill.evaluation import aggregate
from keras_distill.evaluation import environment
from keras_distill.evaluation import figures
from keras_distill.evaluation import formatting
from keras_distill.evaluation import page
from keras_distill.evaluation import run_facts
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
            else aggregate.aggregate_comparisons(seeds_summary),
            "histories": histories,
            "hardware": environment.hardware(),
            "versions": environment.versions(),
        }
    )
    text = {
        # First, since it is by this one that we know our own.
        "report.json": to_text(report),
        "report.html": page.render(report, comparison, student, baseline),
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
            page.SEEDS_HINT,
            figures.to_markdown(comparison, summary).rstrip(),
        ]
    parts += ["## How to run it again", f"```\n{report['command']}\n```"]
    for title, facts in run_facts.run_facts(report).items():
        if facts:
            lines = [f"- {name}: {value}" for name, value in facts.items()]
            parts += [f"### {title}", "\n".join(lines)]
    if report["notes"]:
        parts += ["## Notes", "\n".join(f"- {n}" for n in report["notes"])]
    parts += [
        "## What the numbers mean",
        "\n".join(f"{number}. {note}" for note, number in notes.items()),
        f"A dash ({formatting.DASH}) stands for a number not known.",
    ]
    return "\n\n".join(parts) + "\n"
