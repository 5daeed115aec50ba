"""Ranking: of the candidates of a query, the right one has the best score."""

import dataclasses

import keras
import numpy as np
from scipy import special

from keras_distill.checks.columns import in_order
from keras_distill.checks.columns import label_column
from keras_distill.data.readers.labelled_rows import class_parser
from keras_distill.losses import RankingDistillation
from keras_distill.losses import functional
from keras_distill.tasks.kinds import register_kind
from keras_distill.tasks.metrics import Metric
from keras_distill.tasks.regression import RegressionTask

# How files spell whether a candidate is right.
_WORDS = ("wrong", "right")


def _accuracy(labels, scores):
    return _mean_over_queries(labels, scores, _chance_of_best)


def _reciprocal_rank(labels, scores):
    return _mean_over_queries(labels, scores, _expected_reciprocal_rank)


def _mean_over_queries(labels, scores, function):
    """The mean of a function of the scores of right and wrong candidates."""
    values = []
    for rows in _rows_of_queries(labels):
        is_right = labels[rows] > 0
        if is_right.any():
            found = scores[rows]
            values.append(function(found[is_right], found[~is_right]))
    return np.mean(values)


def _rows_of_queries(labels):
    """The rows of each query."""
    queries = np.abs(labels)
    order = np.argsort(queries, kind="stable")
    borders = np.flatnonzero(np.diff(queries[order])) + 1
    return np.split(order, borders)


def _chance_of_best(right, wrong):
    """How likely the best is right, where equal ones are as likely."""
    best = max(right.max(), wrong.max(initial=-np.inf))
    of_right = np.count_nonzero(right == best)
    return of_right / (of_right + np.count_nonzero(wrong == best))


def _expected_reciprocal_rank(right, wrong):
    """`1 / rank` of the first right one, in the mean over orders of equals."""
    best = right.max()
    before = np.count_nonzero(wrong > best)
    ties, rights = np.sum(wrong == best), np.sum(right == best)
    ranks = np.arange(1, ties + 2)
    orders = special.comb(ties + rights - ranks, rights - 1)
    return np.sum(orders / (before + ranks)) / orders.sum()


@keras.saving.register_keras_serializable("keras_distill")
class RankingCrossEntropy(keras.losses.Loss):
    """`-log P(right)`, with `P` the softmax over the candidates of a query."""

    def call(self, y_true, y_pred):
        return functional.ranking_cross_entropy(y_true, y_pred)


@register_kind
class RankingTask(RegressionTask):
    """A task that finds the right one among the candidates of a query.

    A row is a pair of a query and a candidate; its label is the number of the
    query, from 1, with a minus sign where the candidate is not right:
    `[1, -1, -1, 2, -2]` are a query of three candidates and one of two, each
    with the right one first. `label_rows` makes them of a column of queries.
    The order of rows is free, and a query may have several right ones; one
    that has none counts nothing.

    Its models give each pair one score and learn by `-log P(right)`, with `P`
    the softmax over the candidates of a query; of two candidates that is
    `softplus(s_wrong - s_right)`. A student follows the teacher's `P`
    (`keras_distill.losses.RankingDistillation`). The candidates of a query
    share a batch (`TokenizedExamples.with_groups`); a replica of a
    `tf.distribute` strategy chooses among those that it gets.

    Arguments are those of `keras_distill.tasks.Task`; `label_names` is `None`
    and there are two text columns. The metrics are `"accuracy"`, the share of
    queries whose best candidate is right, and `"mrr"`, the mean of `1 / rank`
    of the first right one. Equal scores count as any order of them does in
    the mean, so that scores which are all the same are at chance level.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.RankingTask(
    ...     "answers", ("question", "sentence"), None, ("accuracy", "mrr"), 128
    ... )
    >>> task.measure([1, -1, -1, 2, -2], [[3.0], [1], [2], [0], [1]])
    {'accuracy': 0.5, 'mrr': 0.75}
    >>> task.label_rows(["who?", "who?", "when?"], [True, False, True])
    array([ 1, -1,  2], dtype=int32)

    Reference:
        - MT-DNN, https://arxiv.org/abs/1901.11504, ranks the sentences of
          QNLI.
    """

    kind = "ranking"
    problem_type = "ranking"
    DEFAULT_METRICS = ("accuracy", "mrr")
    METRICS = {
        "accuracy": Metric("candidates of queries", "accuracy", _accuracy),
        "mrr": Metric(
            "candidates of queries", "mean reciprocal rank", _reciprocal_rank
        ),
    }

    def __post_init__(self):
        super().__post_init__()
        if len(self.text_columns) != 2:
            raise ValueError(
                "`text_columns` must name the query and the candidate of a "
                f"ranking. Received: {self.text_columns!r}."
            )

    @classmethod
    def check_label_names(cls, label_names):
        if label_names is not None:
            raise ValueError(
                "`label_names` must be None for a ranking. Received: "
                f"label_names={label_names!r}."
            )

    @property
    def labels_in_words(self):
        return "candidates of queries"

    @staticmethod
    def label_rows(queries, is_right):
        """Labels of pairs, of which those of equal queries belong together.

        Args:
            queries: column of queries: texts, ids or numbers.
            is_right: column of bools, or of 1 and 0. Whether each candidate
                is right.

        Returns:
            int32 array, the number of each row's query in the order in which
            they come, negative where the candidate is not right.

        Raises:
            ValueError: columns of different lengths, or what is no bool.
        """
        queries = list(in_order(queries, "queries"))
        is_right = np.asarray(in_order(is_right, "is_right"))
        if (
            is_right.shape != (len(queries),)
            or not np.isin(is_right, (0, 1)).all()
        ):
            raise ValueError(
                "`is_right` must hold 1 or 0 for each of "
                f"{len(queries)} queries. Received: shape {is_right.shape}, "
                f"dtype {is_right.dtype}."
            )
        numbers = {}
        found = [
            numbers.setdefault(query, len(numbers) + 1) for query in queries
        ]
        return np.where(is_right, found, np.negative(found)).astype("int32")

    def encode_labels(self, labels):
        """Numbers of queries, negative where wrong, as an int32 array."""
        labels = label_column(labels)
        self.check_labels(labels)
        return labels.astype("int32")

    def labels_of(self, texts, labels):
        """Labels of pairs that say which candidates are right.

        Args:
            texts: tuple of two columns. Pairs of the same query have the same
                first text.
            labels: column of bools, of 1 and 0, or of `"right"` and `"wrong"`.

        Returns:
            int32 array, as of `label_rows`.

        Raises:
            ValueError: a query without a right candidate.
        """
        labels = list(in_order(labels, "labels"))
        if any(isinstance(label, str) for label in labels):
            parse = class_parser(_WORDS)
            labels = [parse(str(label)) for label in labels]
        queries = list(in_order(texts[0], self.text_columns[0]))
        found = self.label_rows(queries, labels)
        lost = ~np.isin(np.abs(found), found)
        if lost.any():
            row = int(np.flatnonzero(lost)[0])
            raise ValueError(
                f"the query {queries[row]!r} (row {row}) has no right "
                "candidate; mark one, or leave the query out."
            )
        return found

    def label_parser(self, separator=None):
        """From a cell of a file to 1 for a right candidate, else 0."""
        return class_parser(_WORDS)

    def spell_label(self, label):
        return str(int(label > 0))

    def concatenate(self, parts):
        # Their queries are others, though they have the same numbers.
        numbered, last = [], 0
        for part in parts:
            if part.labels is not None:
                labels = part.labels + last * np.sign(part.labels)
                last = np.abs(labels).max(initial=last)
                part = dataclasses.replace(part, labels=labels)
            numbered.append(part)
        return super().concatenate(numbered)

    def hold_out(self, examples, share=0.1, seed=0, minimum=1):
        """Divides examples by queries, the candidates of one together."""
        if examples.labels is None:
            return super().hold_out(examples, share, seed, minimum)
        count = self.num_held_out(examples, share, seed, minimum)
        groups = _rows_of_queries(examples.labels)
        order = np.random.default_rng(seed).permutation(len(groups))
        sizes = np.cumsum([len(groups[number]) for number in order])
        taken = np.searchsorted(sizes, count) + 1
        if taken >= len(groups):
            raise ValueError(
                "`examples` must have a query to hold out and one to keep. "
                f"Received: {len(groups)} queries in {len(examples)} rows, "
                f"{count} of which are to be held out."
            )
        rows = [
            np.sort(np.concatenate([groups[number] for number in part]))
            for part in (order[taken:], order[:taken])
        ]
        return tuple(map(examples.select, rows))

    def tokenize(self, examples, *args, **kwargs):
        tokenized = super().tokenize(examples, *args, **kwargs)
        if tokenized.labels is None:
            return tokenized
        return tokenized.with_groups(np.abs(tokenized.labels))

    def label_loss(self):
        return RankingCrossEntropy()

    def output_distillation(
        self,
        temperature=1.0,
        soft_loss="kl",
        normalization="sum_over_classes",
        name="logits",
    ):
        # Candidates are no classes, whose number a script might divide by.
        del normalization
        return RankingDistillation(temperature, soft_loss, name=name)

    def check_labels(self, labels):
        labels = np.asarray(labels)
        is_query = (labels != 0) & (labels == np.floor(labels))
        if not is_query.all():
            row = int(np.flatnonzero(~is_query)[0])
            raise ValueError(
                "`labels` must be numbers of queries from 1, negative where "
                f"the candidate is not right, for {self.name}. Received: "
                f"{labels[row]} in row {row}; `RankingTask.label_rows` makes "
                "them of queries and of 1 and 0."
            )
        if not (labels > 0).any():
            raise ValueError(
                f"`labels` must mark a right candidate of {self.name}. "
                f"Received: {len(labels)} rows, none of them right."
            )
