"""The report of a run over the tasks of GLUE."""

import datetime
import html

from keras_distill.evaluation import environment
from keras_distill.evaluation import figures
from keras_distill.evaluation import page
from keras_distill.evaluation.glue_table import METRICS
from keras_distill.io.json_file import plain
from keras_distill.io.json_file import to_text
from keras_distill.io.saving import local_path

_STUDENT = "student"
_BASELINE = "baseline"
_TITLE = "GLUE, task by task"
_DASH = f"A dash ({figures.DASH}) stands for a number not known."


def write_glue_report(
    folder, table, *, title, command, seeds, config, timings=None, notes=()
):
    """Writes `report.html`, `report.json` and `report.md` into a folder.

    An earlier report is replaced; no file is left half-written.

    Args:
        folder: path. Made if missing.
        table: `GlueTable`, with a row `"student"`.
        title: str.
        command: str. The exact command that was run.
        seeds: iterable of int. The random seeds of the run.
        config: dict with the run's settings.
        timings: optional dict of task to wall-clock seconds.
        notes: iterable of str. What a reader should know besides. Defaults
            to `()`.

    Returns:
        `pathlib.Path` of `report.html`.

    Raises:
        ValueError: if `folder` is a file, or holds a file of such a name that
            is of no report.
    """
    folder = local_path(folder)
    page.check_folder(folder, overwrite=False)
    date = datetime.datetime.now().astimezone()
    report = plain(
        {
            "title": title,
            "verdict": _verdict(table),
            "date": date.strftime("%Y-%m-%d %H:%M %Z").strip(),
            "command": command,
            "seeds": list(seeds),
            "config": dict(config),
            "timings": dict(timings or {}),
            "notes": list(notes),
            "glue": table.to_dict(),
            "hardware": environment.hardware(),
            "versions": environment.versions(),
        }
    )
    sections = [
        page.section(_TITLE, _html_table(table)),
        page.run_section(report),
        page.notes_section(report),
    ]
    parts = [
        f"# {title}",
        report["verdict"],
        table.to_markdown().rstrip(),
        f"{METRICS} {_DASH}",
        *page.markdown_of_run(report),
    ]
    return page.write(
        folder,
        {
            "report.json": to_text(report),
            "report.html": page.render(report, _cards(table), sections),
            "report.md": "\n\n".join(parts) + "\n",
        },
    )


def _verdict(table):
    """What the table says in one sentence."""
    count = len(table.to_dict()["averaged"])
    share = figures.cell(table.share(_STUDENT), figures.percent)
    words = (
        f"Over {count} columns of GLUE the student keeps {share}% of the "
        f"{table.reference}'s average"
    )
    points = _points(table)
    if points is None:
        return f"{words}."
    where = "above" if points >= 0 else "below"
    return (
        f"{words} and stands {abs(points):.1f} points {where} the same "
        "student trained without a teacher."
    )


def _cards(table):
    values = {
        "the student's average": table.average(_STUDENT),
        f"% of the {table.reference}'s average": table.share(_STUDENT),
    }
    cards = [
        (figures.cell(value, figures.percent), meaning)
        for meaning, value in values.items()
    ]
    points = _points(table)
    if points is not None:
        number = f"{points:+.1f}".replace("-", "−")
        cards.append((number, "points to the student without a teacher"))
    return cards


def _points(table):
    values = [table.average(name) for name in (_STUDENT, _BASELINE)]
    if None in values:
        return None
    return 100 * (values[0] - values[1])


def _html_table(table):
    header, rows = table.cells()
    heads = "".join(f'<th scope="col">{html.escape(t)}</th>' for t in header)
    lines = "\n".join(
        f'<tr{_mark(name)}><th scope="row">{html.escape(name)}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    drawn = page.scroll(
        _TITLE,
        "compared",
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}\n</tbody>",
    )
    return f'<p class="soft">{METRICS} {_DASH}</p>\n{drawn}'


def _mark(name):
    return ' class="student"' if name.startswith(_STUDENT) else ""
