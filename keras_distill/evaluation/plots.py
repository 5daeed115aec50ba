"""The report's plots as SVG text that takes the page's own text colour."""

import io
import re

import matplotlib
import numpy as np
from matplotlib import figure as mpl_figure
from matplotlib import ticker

from keras_distill.evaluation import figures

# Text and axes are drawn in this colour, which the page replaces with its own.
INK = "#010203"
# Readable on white and on near-black, and apart for the colour-blind.
COLORS = (
    "#d9730d",
    "#7c8594",
    "#2f7fd6",
    "#1f9d70",
    "#b05bc9",
    "#d64550",
    "#a58a00",
    "#008fa3",
)
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
STYLE = {
    # Text stays text: readable by machines, in the page's own font.
    "svg.fonttype": "none",
    # Same numbers, same bytes.
    "svg.hashsalt": "keras_distill",
    # Names are shown as they are, dollar signs included.
    "text.parse_math": False,
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.linewidth": 0.6,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.markerscale": 0.8,
}
# Inches. Small, so that text is large when the plot fills a phone's width.
WIDTH = 4.1
HEIGHT = 2.8
LEGEND_ROW = 0.2


def quality_against_latency(comparison):
    """Draws one point per model: better is up, faster is left.

    Args:
        comparison: `Comparison`.

    Returns:
        str. An `<svg>` element.
    """
    latencies = [row.latency.p50_ms for row in comparison.rows]
    label = "latency p50 at batch 1, ms"
    return _quality_against(comparison, latencies, label, "latency")


def quality_against_size(comparison):
    """Draws one point per model: better is up, smaller is left.

    Args:
        comparison: `Comparison`.

    Returns:
        str. An `<svg>` element.
    """
    sizes = [row.parameters.encoder / 1e6 for row in comparison.rows]
    label = "encoder weights, millions"
    return _quality_against(comparison, sizes, label, "size")


def curves(history, keys, label, prefix):
    """Draws one line per quantity over the epochs; validation is dashed.

    Args:
        history: dict of str to list of float, as `History.history` is.
        keys: list of str. What to draw. A `val_` twin has its key's colour.
        label: str. Label of the vertical axis.
        prefix: str. Makes the SVG's ids unique on a page.

    Returns:
        str. An `<svg>` element.
    """
    names = list(dict.fromkeys(key.removeprefix("val_") for key in keys))
    with matplotlib.rc_context(STYLE):
        fig, axes = _canvas()
        for key in keys:
            values = np.array(history[key], dtype=float)
            axes.plot(
                range(1, len(values) + 1),
                values,
                linestyle="--" if key.startswith("val_") else "-",
                marker="o" if len(values) <= 12 else None,
                markersize=3.5,
                color=COLORS[
                    names.index(key.removeprefix("val_")) % len(COLORS)
                ],
                label=_label(key),
            )
        if _spans_decades(axes):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(ticker.NullLocator())
        axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        return _svg(fig, prefix, num_columns=2)


def _label(key):
    name = key.removeprefix("val_").replace("_", " ")
    return f"{name}, dev" if key.startswith("val_") else name


def _spans_decades(axes):
    values = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    values = values[np.isfinite(values)]
    return (
        values.size and values.min() > 0 and np.ptp(values) > 20 * min(values)
    )


def _quality_against(comparison, costs, label, prefix):
    metric = comparison.selection_metric
    with matplotlib.rc_context(STYLE):
        fig, axes = _canvas()
        for i, (row, cost) in enumerate(
            zip(comparison.rows, costs, strict=True)
        ):
            axes.plot(
                cost,
                100 * row.metrics[metric],
                linestyle="none",
                marker=MARKERS[i % len(MARKERS)],
                markersize=10,
                color=COLORS[i % len(COLORS)],
                label=row.name,
            )
        axes.margins(0.12)
        # From zero, so that twice as far is twice as much.
        axes.set_xlim(left=0)
        axes.set_xlabel(label)
        axes.set_ylabel(
            f"{figures.metric_name(metric)}, {figures.metric_unit(metric)}"
        )
        return _svg(fig, prefix, num_columns=3)


def _canvas():
    fig = mpl_figure.Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    return fig, fig.add_subplot()


def _svg(fig, prefix, num_columns):
    labels = fig.axes[0].get_legend_handles_labels()[1]
    fig.legend(loc="outside upper left", ncols=num_columns)
    # The legend gets its own height, so that all axes are equally tall.
    num_rows = -(-len(labels) // num_columns)
    fig.set_figheight(HEIGHT + LEGEND_ROW * num_rows)
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    fig.savefig(buffer, format="svg", transparent=True, metadata=no_metadata)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    # Several plots on a page must not share ids.
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = svg.replace("url(#", f"url(#{prefix}-")
    return svg.replace('href="#', f'href="#{prefix}-')
