"""What a comparison of models found: frozen records and their tables."""

import dataclasses
import statistics

from keras_distill.evaluation import figures
from keras_distill.io.json_file import plain


@dataclasses.dataclass(frozen=True)
class Parameters:
    """How many weights a classifier has.

    Args:
        total: int. All weights: backbone and head.
        embeddings: int. Those of the backbone's layers in front of its first
            transformer layer (token, position and segment tables and their
            normalisation).
        encoder: int. Those of the transformer layers alone, so without
            embeddings, pooler and head.
    """

    total: int
    embeddings: int
    encoder: int


@dataclasses.dataclass(frozen=True)
class Latency:
    """Milliseconds from one raw text to its answer, one text at a time.

    Args:
        p50_ms: float. Median of tokeniser and model together.
        p95_ms: float. 95th percentile of the same.
        model_p50_ms: float. Median from token ids on, without the tokeniser.
    """

    p50_ms: float
    p95_ms: float
    model_p50_ms: float


@dataclasses.dataclass(frozen=True)
class Throughput:
    """Speed on full batches of raw texts.

    Args:
        examples_per_second: float. Batch size over the median time of a
            batch, tokeniser and model together.
    """

    examples_per_second: float


@dataclasses.dataclass(frozen=True)
class Ratios:
    """How many times better than the reference; 1 for the reference itself.

    Args:
        encoder: float. Encoder weights, reference over this model.
        parameters: float. All weights, reference over this model.
        file: float. Bytes on disk, reference over this model.
        latency: float. Median latency, reference over this model.
        throughput: float. Examples a second, this model over the reference.
    """

    encoder: float
    parameters: float
    file: float
    latency: float
    throughput: float


@dataclasses.dataclass(frozen=True)
class ModelResult:
    """One model's row of a `Comparison`.

    Args:
        name: str. The model's name.
        metrics: dict of str to float. The task's official dev metrics.
        kept: dict of str to float or `None`. Each metric divided by the
            reference's; `None` where the reference's is not above zero.
        agreement: float. How far it answers as the reference does, as the
            task counts it: the share of examples with the same label, of
            words with the same tag, or the correlation of two scores.
        parameters: `Parameters`.
        file_bytes: int. Bytes of the weights file that Keras writes.
        flops: int. Floating-point operations of one text as long as the
            comparison's `sequence_length`, as `count_flops` counts them.
        latency: `Latency` at batch 1.
        throughput: `Throughput` at the comparison's batch size.
        ratios: `Ratios` against the reference.
    """

    name: str
    metrics: dict
    kept: dict
    agreement: float
    parameters: Parameters
    file_bytes: int
    flops: int
    latency: Latency
    throughput: Throughput
    ratios: Ratios


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Models side by side on one dev split, as `compare` found them.

    Args:
        task: str. Name of the task.
        kind: str. The kind of the task, such as `"classification"`.
        selection_metric: str. The metric that models are chosen by.
        num_examples: int. Size of the dev split.
        reference: str. Name of the row that ratios are taken against.
        sequence_length: int. The most tokens that all of the models read,
            for which `flops` are counted.
        batch_size: int. Batch size of the throughput.
        latency_runs: int. Number of timed texts of the latency.
        throughput_runs: int. Number of timed batches of the throughput.
        timed: str. What latency and throughput are of: `"SavedModel"`, or
            `"model"` where the backend writes none.
        rows: tuple of `ModelResult`, in the order the models were given.
    """

    task: str
    kind: str
    selection_metric: str
    num_examples: int
    reference: str
    sequence_length: int
    batch_size: int
    latency_runs: int
    throughput_runs: int
    timed: str
    rows: tuple

    def row(self, name):
        """Returns the `ModelResult` called `name`."""
        for row in self.rows:
            if row.name == name:
                return row
        raise ValueError(
            f"`name` must be one of {[row.name for row in self.rows]}. "
            f"Received: name={name!r}."
        )

    def to_dict(self):
        """Returns plain dicts and lists, fit for JSON: NaN becomes `None`."""
        return plain(dataclasses.asdict(self))

    def to_markdown(self):
        """Returns a Markdown table: a figure a row, a model a column."""
        comparison = self.to_dict()
        return figures.to_markdown(comparison, comparison["rows"])

    def table(self):
        """Returns a `rich.table.Table`: a figure a row, a model a column."""
        return figures.to_rich_table(self.to_dict())


def aggregate_comparisons(comparisons):
    """Averages comparisons of the same models trained with other seeds.

    Every number becomes `{"mean": ..., "sd": ...}`. The standard deviation is
    that of a sample, `sqrt(sum((x - mean)^2) / (n - 1))`, and `None` for one
    seed. A number that one seed lacks is lacking in the mean too.

    Args:
        comparisons: list of dict, one per seed, as `Comparison.to_dict()`
            returns them.

    Returns:
        List of dict, one per model, with the keys of the comparisons' rows
        and `"seeds"`, the number of comparisons.

    Raises:
        ValueError: if `comparisons` is empty or they differ in task, models
            or size of the dev split.

    Example:

    >>> from keras_distill import evaluation
    >>> seeds = [
    ...     {
    ...         "task": "sst2",
    ...         "num_examples": 872,
    ...         "rows": [{"name": "student", "metrics": {"accuracy": value}}],
    ...     }
    ...     for value in (0.5, 0.75)
    ... ]
    >>> (row,) = evaluation.aggregate_comparisons(seeds)
    >>> row["metrics"]["accuracy"]["mean"]
    0.625
    """
    if not comparisons:
        raise ValueError(
            "`comparisons` must hold at least one comparison. Received: none."
        )
    first, *others = comparisons
    for other in others:
        if _identity(other) != _identity(first):
            raise ValueError(
                "`comparisons` must agree in task, models and number of "
                f"examples. Received: {_identity(first)} and "
                f"{_identity(other)}"
            )
    return [
        {
            "name": rows[0]["name"],
            "seeds": len(rows),
            **_aggregate(
                [_without_name(row) for row in rows],
            ),
        }
        for rows in zip(*(each["rows"] for each in comparisons), strict=True)
    ]


def _identity(comparison):
    names = [row["name"] for row in comparison["rows"]]
    return comparison["task"], names, comparison["num_examples"]


def _without_name(row):
    return {key: value for key, value in row.items() if key != "name"}


def _aggregate(values):
    if isinstance(values[0], dict):
        return {
            key: _aggregate([value[key] for value in values])
            for key in values[0]
        }
    if None in values:
        return {"mean": None, "sd": None}
    return {
        "mean": statistics.fmean(values),
        "sd": statistics.stdev(values) if len(values) > 1 else None,
    }
