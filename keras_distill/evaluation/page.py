"""The report as one self-contained HTML page."""

import html
import string
from importlib import resources

from keras_distill.evaluation import figures
from keras_distill.evaluation import formatting
from keras_distill.evaluation import plots
from keras_distill.evaluation import run_facts
from keras_distill.evaluation import verdict

TEMPLATE = "report_template.html"
SEEDS_HINT = (
    "Mean ± standard deviation of the runs; a number without ± was the same "
    "in all of them."
)


def render(report, comparison, student, baseline):
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
    cards = verdict.highlights(comparison, student, baseline)
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
        for kind, keys in run_facts.split_history(history).items():
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
        for title, facts in run_facts.run_facts(report).items()
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
    missing = f"A dash ({formatting.DASH}) stands for a number not known."
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
