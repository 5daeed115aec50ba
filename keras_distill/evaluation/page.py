"""What reports have in common: one page to read, one file to compute with."""

import contextlib
import html
import json
import os
import string
from importlib import resources

from keras_distill.evaluation import environment
from keras_distill.io.saving import flush_to_disk
from keras_distill.io.saving import replaced_file

_TEMPLATE = "report_template.html"
_FILES = ("report.json", "report.html", "report.md")
# What is in each `report.json` beside the results.
_IN_ALL = {"verdict", "command", "hardware"}


def check_folder(folder, overwrite):
    """Raises unless a report may be written into a folder.

    Args:
        folder: `pathlib.Path`.
        overwrite: bool. Whether files of these names may be of no report.

    Raises:
        ValueError: if it is a file, or holds such files.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"`folder` must be a folder. Received a file: {str(folder)!r}."
        )
    there = [name for name in _FILES if os.path.lexists(folder / name)]
    if overwrite or not there or _is_report(folder / _FILES[0]):
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
    return isinstance(content, dict) and _IN_ALL <= set(content)


def write(folder, texts):
    """Writes the files of a report: all of them whole, or none.

    Args:
        folder: `pathlib.Path`.
        texts: dict of file name to str.

    Returns:
        `pathlib.Path` of `report.html`.
    """
    with contextlib.ExitStack() as stack:
        # All are on the disk before the first takes its place.
        for name, content in reversed(texts.items()):
            file = stack.enter_context(replaced_file(folder / name))
            file.write_text(content, encoding="utf-8")
            flush_to_disk(file)
    return folder / "report.html"


def render(report, cards, sections):
    """Renders the page.

    Args:
        report: dict with `"title"`, `"verdict"` and `"date"`.
        cards: list of `(number, meaning)`, both str.
        sections: list of str, HTML; those that are empty are left out.

    Returns:
        str. HTML that loads nothing from anywhere.
    """
    template = resources.files(__package__).joinpath(_TEMPLATE)
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


def section(title, body):
    """A section of the page."""
    return f"<section>\n<h2>{html.escape(title)}</h2>\n{body}\n</section>"


def scroll(label, kind, table):
    """A table that scrolls where it is too wide."""
    # Focusable, so that the keyboard can scroll it too.
    return (
        f'<div class="scroll" role="region" tabindex="0" '
        f'aria-label="{html.escape(label)}">\n'
        f'<table class="{kind}">\n{table}\n</table></div>'
    )


def figure(caption, alternative, svg):
    """A drawing with its caption, and a text in its place."""
    alternative = html.escape(alternative)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{alternative}"', 1)
    return (
        f"<figure>\n<figcaption>{html.escape(caption)}</figcaption>\n"
        f"{svg}\n</figure>\n"
    )


def run_section(report):
    """How a run is run again, on what it ran, and how long."""
    command = html.escape(report["command"])
    parts = [f'<pre tabindex="0"><code>{command}</code></pre>']
    tables = [
        f"<div><h3>{html.escape(title)}</h3>\n"
        f"{_facts_table(title, facts)}</div>"
        for title, facts in environment.run_facts(report).items()
        if facts
    ]
    parts.append(f'<div class="facts">\n{"".join(tables)}</div>')
    return section("How to run it again", "\n".join(parts))


def _facts_table(title, facts):
    rows = "\n".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        f"<td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    return scroll(title, "told", f"<tbody>\n{rows}\n</tbody>")


def notes_section(report):
    """What a reader should know besides."""
    if not report["notes"]:
        return ""
    items = "".join(f"<li>{html.escape(note)}</li>" for note in report["notes"])
    return section("Notes", f"<ul>{items}</ul>")


def markdown_of_run(report):
    """The same two sections as a list of parts of Markdown."""
    parts = ["## How to run it again", f"```\n{report['command']}\n```"]
    for title, facts in environment.run_facts(report).items():
        if facts:
            lines = [f"- {name}: {value}" for name, value in facts.items()]
            parts += [f"### {title}", "\n".join(lines)]
    if report["notes"]:
        parts += ["## Notes", "\n".join(f"- {n}" for n in report["notes"])]
    return parts
