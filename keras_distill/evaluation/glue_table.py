"""The table of GLUE as papers on distillation have it.

Jiao et al. 2020, https://arxiv.org/abs/1909.10351, table 1: nine columns and
their average. WNLI stands beside them: its dev split contradicts its training
split, and papers leave it out.
"""

import dataclasses
import statistics

from keras_distill.evaluation import figures
from keras_distill.io.markdown import markdown_table

METRICS = (
    "Accuracy; F1 of QQP and MRPC; Matthews correlation of CoLA; mean of "
    "Pearson and Spearman correlation of STS-B."
)


@dataclasses.dataclass(frozen=True)
class _Column:
    title: str
    task: str
    metric: str


COLUMNS = (
    _Column("MNLI-m", "mnli", "accuracy"),
    _Column("MNLI-mm", "mnli", "accuracy_dev_mismatched"),
    _Column("QQP", "qqp", "f1"),
    _Column("QNLI", "qnli", "accuracy"),
    _Column("SST-2", "sst2", "accuracy"),
    _Column("CoLA", "cola", "matthews"),
    _Column("STS-B", "stsb", "pearson_spearman"),
    _Column("MRPC", "mrpc", "f1"),
    _Column("RTE", "rte", "accuracy"),
)
_BESIDE = (_Column("WNLI", "wnli", "accuracy"),)


@dataclasses.dataclass(frozen=True)
class GlueTable:
    """Models side by side on the tasks of GLUE.

    Args:
        scores: dict of task to dict of model to dict of metric to float, on
            the dev split: the `metrics` of a `Comparison`'s rows.
        reference: str. The model that shares are taken of. Defaults to
            `"teacher"`.

    Example:

    >>> from keras_distill.evaluation import GlueTable
    >>> table = GlueTable(
    ...     {
    ...         "rte": {
    ...             "teacher": {"accuracy": 0.7}, "student": {"accuracy": 0.63}
    ...         },
    ...         "cola": {
    ...             "teacher": {"matthews": 0.5}, "student": {"matthews": 0.4}
    ...         },
    ...     }
    ... )
    >>> table.average("student"), table.missing[:2]
    (0.515, ('MNLI-m', 'MNLI-mm'))
    >>> f"{table.share('student', 'RTE'):.2f}"
    '0.90'
    """

    scores: dict
    reference: str = "teacher"

    @property
    def models(self):
        """The names of the models, in the order in which they came."""
        names = dict.fromkeys(
            name for models in self.scores.values() for name in models
        )
        return tuple(names)

    @property
    def missing(self):
        """The titles of the paper's columns that no task was run for."""
        return tuple(c.title for c in COLUMNS if not self._is_there(c))

    def value(self, model, title):
        """A model's score in a column, from 0 to 1, or `None`."""
        (column,) = (c for c in (*COLUMNS, *_BESIDE) if c.title == title)
        models = self.scores.get(column.task, {})
        return models.get(model, {}).get(column.metric)

    def average(self, model):
        """The mean over those of the paper's columns that are there.

        `None` where the model lacks one that others have.
        """
        values = [
            self.value(model, c.title) for c in COLUMNS if self._is_there(c)
        ]
        if not values or None in values:
            return None
        return statistics.fmean(values)

    def share(self, model, title=None):
        """A score divided by the reference's, where that is above 0.

        Args:
            model: str.
            title: str. A column. Defaults to `None`: the average.

        Returns:
            float, or `None`.
        """
        ours, theirs = (
            self.average(name) if title is None else self.value(name, title)
            for name in (model, self.reference)
        )
        if ours is None or theirs is None or not theirs > 0:
            return None
        return ours / theirs

    def to_dict(self):
        """The table as a dict that JSON can hold."""
        titles = [c.title for c in (*COLUMNS, *_BESIDE)]
        shown = [title for title in titles if self._has(title)]
        return {
            "metrics": METRICS,
            "reference": self.reference,
            "averaged": [t for t in shown if t not in _beside()],
            "missing": list(self.missing),
            "rows": [
                {
                    "name": model,
                    "scores": {t: self.value(model, t) for t in shown},
                    "average": self.average(model),
                    "shares": {t: self.share(model, t) for t in shown},
                    "share_of_average": self.share(model),
                }
                for model in self.models
            ],
        }

    def cells(self):
        """The table as it is shown: a header, and rows of strings."""
        count = len(COLUMNS) - len(self.missing)
        average = "average"
        if self.missing:
            average = f"average of {count} of {len(COLUMNS)}"
        beside = [title for title in _beside() if self._has(title)]
        titles = [c.title for c in COLUMNS]
        rows = [
            [
                f"{model}, × 100",
                *(_cell(self.value(model, t)) for t in titles),
                _cell(self.average(model)),
                *(_cell(self.value(model, t)) for t in beside),
            ]
            for model in self.models
        ]
        rows += [
            [
                f"{model}, % of the {self.reference}",
                *(_cell(self.share(model, t)) for t in titles),
                _cell(self.share(model)),
                *(_cell(self.share(model, t)) for t in beside),
            ]
            for model in self.models
            if model != self.reference
        ]
        return ["dev split", *titles, average, *beside], rows

    def to_markdown(self):
        """Returns a Markdown table: a model a row, a task a column."""
        return markdown_table(*self.cells())

    def _is_there(self, column):
        models = self.scores.get(column.task, {})
        return any(column.metric in metrics for metrics in models.values())

    def _has(self, title):
        return any(self.value(m, title) is not None for m in self.models)


def _beside():
    return [column.title for column in _BESIDE]


def _cell(value):
    return figures.cell(value, figures.percent)
