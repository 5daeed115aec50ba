"""The figures that a comparison shows, in order, with units and meaning.

One list feeds the Markdown, the terminal and the HTML table, for one run
(numbers) as for several seeds (mean and standard deviation).
"""

import dataclasses
import math
from collections.abc import Callable

from rich import box
from rich.table import Table

from keras_distill.io.markdown import markdown_table
from keras_distill.tasks.kinds import all_metrics
from keras_distill.tasks.kinds import kind_named

DASH = "–"
NO_BREAK_SPACE = "\u00a0"


def count(value):
    """Formats a count: `320`, `612.3 k`, `10.65 M`, `5.39 G`."""
    if value < 1e3:
        return f"{value:.0f}"
    # From here on it would read `1000.0 k`.
    if value < 999_950:
        return f"{value / 1e3:.1f} k"
    if value < 999_995_000:
        return f"{value / 1e6:.2f} M"
    return f"{value / 1e9:.2f} G"


def percent(value):
    """Formats a share of 1 in per cent: `98.3`."""
    return f"{100 * value:.1f}"


def megabytes(value):
    """Formats bytes in MB of a million bytes: `2.58`."""
    return f"{value / 1e6:.2f}"


def milliseconds(value):
    """Formats milliseconds: two decimals."""
    return f"{value:.2f}"


def rate(value):
    """Formats a rate per second: `1,234`."""
    return f"{value:,.0f}"


def times(value):
    """Formats a factor: `17.0×`."""
    return f"{value:.1f}×"


def duration(seconds):
    """Formats seconds: `8.2 s`, `3 min 12 s`, `2 h 5 min`, unbroken."""
    if is_missing(seconds):
        return DASH
    minutes, rest = divmod(round(seconds), 60)
    # From here on it would read `60.0 s`.
    if seconds < 59.95:
        words = f"{seconds:.1f} s"
    elif minutes < 60:
        words = f"{minutes} min {rest} s"
    else:
        words = f"{minutes // 60} h {minutes % 60} min"
    return words.replace(" ", NO_BREAK_SPACE)


def is_missing(value):
    """Whether a number is `None` or not finite."""
    return value is None or not math.isfinite(value)


def cell(value, style):
    """Formats one table cell.

    Args:
        value: a number, `None`, or a dict with `"mean"` and `"sd"`.
        style: one of this file's functions.

    Returns:
        str. The number, `mean ± sd`, or a dash. A mean without deviation
        was the same for every seed, or there was one seed.
    """
    if not isinstance(value, dict):
        return DASH if is_missing(value) else style(value)
    if is_missing(value["mean"]):
        return DASH
    if is_missing(value["sd"]) or value["sd"] == 0:
        return style(value["mean"])
    return f"{style(value['mean'])} ± {style(value['sd'])}"


# How the numbers of a unit are written.
STYLES = {
    "%": percent,
    "× 100": percent,
    "count": count,
    "MB": megabytes,
    "ms": milliseconds,
    "examples/s": rate,
    "times": times,
}


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure that every model has.

    Args:
        group: str. Quality, Size or Speed.
        label: str. What it is.
        unit: str. What it is measured in.
        path: tuple of str. Where it is in a row of `Comparison.to_dict()`.
        style: callable that formats the number.
        note: str. A plain explanation.
    """

    group: str
    label: str
    unit: str
    path: tuple
    style: Callable
    note: str

    def cell(self, row):
        """Returns the formatted figure of one row."""
        value = row
        for key in self.path:
            value = value[key]
        return cell(value, self.style)


def metric_name(metric):
    """Returns how a metric is called in a sentence."""
    known, split = _split_of(metric)
    if known is None:
        # Of a report that another program wrote.
        return metric.replace("_", " ")
    title = all_metrics()[known].title
    return f"{title} on {split}" if split else title


def metric_unit(metric):
    """Returns the unit in which a metric between 0 and 1 is shown."""
    return "%" if "accuracy" in metric else "× 100"


def _split_of(metric):
    """A metric of any kind and the further split it is of, `""` for none."""
    # "pearson_spearman" is no "pearson" on "spearman".
    for known in sorted(all_metrics(), key=len, reverse=True):
        if metric == known:
            return known, ""
        if metric.startswith(f"{known}_"):
            return known, metric.removeprefix(f"{known}_")
    return None, ""


def all_figures(comparison):
    """Lists the figures of a comparison.

    Args:
        comparison: dict, as `Comparison.to_dict()` returns it.

    Returns:
        List of `Figure`.
    """
    return [
        *_quality(comparison),
        *_size(comparison),
        *_speed(comparison),
    ]


def note_numbers(listed):
    """Numbers the distinct notes of figures from 1, in order.

    Args:
        listed: list of `Figure`.

    Returns:
        Dict of note to number.
    """
    notes = dict.fromkeys(figure.note for figure in listed)
    return {note: number for number, note in enumerate(notes, start=1)}


def to_markdown(comparison, rows):
    """Returns a Markdown table: a figure a row, a model a column.

    Args:
        comparison: dict, as `Comparison.to_dict()` returns it.
        rows: list of dict: the comparison's own rows, or those that
            `aggregate_comparisons` returns.

    Returns:
        str.
    """
    return markdown_table(
        ["", *(row["name"] for row in rows)],
        [
            [f"{figure.label}, {figure.unit}", *map(figure.cell, rows)]
            for figure in all_figures(comparison)
        ],
    )


def to_rich_table(comparison):
    """Returns a `rich.table.Table`: a figure a row, a model a column."""
    table = Table(
        title=f"{comparison['task']}, {comparison['num_examples']:,} examples",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("")
    table.add_column("unit", style="dim")
    for row in comparison["rows"]:
        table.add_column(row["name"], justify="right")
    group = None
    for figure in all_figures(comparison):
        if group not in (None, figure.group):
            table.add_section()
        group = figure.group
        cells = [figure.cell(row) for row in comparison["rows"]]
        table.add_row(figure.label, figure.unit, *cells)
    return table


def _quality(comparison):
    selection = comparison["selection_metric"]
    reference = comparison["reference"]
    examples = f"the {comparison['num_examples']:,} dev examples"
    official = (
        f"The task's official metrics over {examples}. Correlations and F1 "
        "are multiplied by 100, as is the custom."
    )
    kind = kind_named(comparison["kind"])
    agreement = kind.agreement_note.format(
        examples=examples, reference=reference
    )
    rows = (
        *(
            (
                metric_name(metric),
                metric_unit(metric),
                f"metrics.{metric}",
                _note_of(metric, official),
            )
            for metric in comparison["rows"][0]["metrics"]
        ),
        (
            f"kept of {reference}'s {metric_name(selection)}",
            "%",
            f"kept.{selection}",
            f"The model's {metric_name(selection)} divided by the "
            f"{reference}'s; a dash where the {reference}'s is not above 0.",
        ),
        (
            f"agreement with {reference}",
            kind.agreement_unit,
            "agreement",
            agreement,
        ),
    )
    return _figures("Quality", rows)


def _note_of(metric, official):
    """What a metric is over."""
    split = _split_of(metric)[1]
    if not split:
        return official
    return f"The same over the split {split}, on which nothing was chosen."


def _size(comparison):
    reference = comparison["reference"]
    float32 = (
        "Size of the weights file that Keras writes, in float32, without "
        "optimizer state; 1 MB is a million bytes."
    )
    ratio = (
        f"The {reference}'s number divided by the model's: above 1 the model "
        "is smaller."
    )
    rows = (
        (
            "encoder weights",
            "count",
            "parameters.encoder",
            "Weights of the transformer layers alone: without the embeddings "
            "(token, position and segment tables and their normalisation), "
            "the pooler and the classification head. k is a thousand, M a "
            "million.",
        ),
        (
            "embedding weights",
            "count",
            "parameters.embeddings",
            "Weights in front of the first transformer layer. They take space "
            "but hardly any time, since a text looks up only its own rows.",
        ),
        (
            "all weights",
            "count",
            "parameters.total",
            "All numbers that the model learnt: embeddings, encoder, pooler "
            "and classification head.",
        ),
        ("file", "MB", "file_bytes", float32),
        ("encoder compression", "times", "ratios.encoder", ratio),
        ("compression of all weights", "times", "ratios.parameters", ratio),
        ("file compression", "times", "ratios.file", ratio),
    )
    return _figures("Size", rows)


def _speed(comparison):
    reference = comparison["reference"]
    batch_size = comparison["batch_size"]
    what = (
        "the SavedModel that is shipped, asked through its serving signature"
        if comparison["timed"] == "SavedModel"
        else "the model itself, since this backend writes no SavedModel"
    )
    latency = (
        f"Time from one raw text to its answer by {what}, over "
        f"{comparison['latency_runs']:,} dev texts, one at a time, without "
        "padding, after a warm-up. The models take turns in one process, ten "
        "texts at a time. p50 is the median; 95% of the texts took no longer "
        "than p95."
    )
    model = (
        "The same from token ids on: what is left without the tokeniser, "
        "which a smaller model does not make faster."
    )
    throughput = (
        f"Of the same, in batches of {batch_size}, padded to the longest text "
        f"of a batch: {batch_size} divided by the median time of "
        f"{comparison['throughput_runs']:,} batches, models in turns."
    )
    ratio = (
        f"How many times faster than the {reference}, tokeniser included: "
        f"the {reference}'s p50 divided by the model's at batch 1, the "
        f"model's throughput divided by the {reference}'s at batch "
        f"{batch_size}. Below 1 the model is slower."
    )
    length = comparison["sequence_length"]
    flops = (
        f"Floating-point operations of one text of {length:,} tokens, the "
        "most that all models read: twice the multiply-adds of all matrix "
        "products from token ids to the answer. Shorter texts cost less. M is "
        "a million, G a thousand millions."
    )
    rows = (
        (f"FLOPs of {length:,} tokens", "count", "flops", flops),
        ("latency p50, batch 1", "ms", "latency.p50_ms", latency),
        ("latency p95, batch 1", "ms", "latency.p95_ms", latency),
        ("model alone, p50", "ms", "latency.model_p50_ms", model),
        ("speed-up, batch 1", "times", "ratios.latency", ratio),
        (
            f"throughput, batch {batch_size}",
            "examples/s",
            "throughput.examples_per_second",
            throughput,
        ),
        (f"speed-up, batch {batch_size}", "times", "ratios.throughput", ratio),
    )
    return _figures("Speed", rows)


def _figures(group, rows):
    return [
        Figure(group, label, unit, tuple(path.split(".")), STYLES[unit], note)
        for label, unit, path, note in rows
    ]
