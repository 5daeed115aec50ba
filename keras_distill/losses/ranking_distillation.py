"""The student prefers the candidates of a query as the teacher does."""

import keras
from keras import ops

from keras_distill.checks.arguments import check_choice
from keras_distill.losses import functional
from keras_distill.losses.logits_distillation import LogitsDistillation


@keras.saving.register_keras_serializable("keras_distill")
class RankingDistillation(LogitsDistillation):
    """The student prefers the candidates of a query as the teacher does.

    Models give each pair of a query and a candidate a score. With `T` the
    temperature, `p = softmax(teacher / T)` and `q = softmax(student / T)` over
    the candidates of one query, for that query:

    - `"kl"`: `T^2 * sum_i p_i * (log p_i - log q_i)`;
    - `"cross_entropy"`: `-sum_i p_i * log q_i`, which differs from `"kl"` by
      the constant entropy of the teacher and, in its gradient, by the factor
      `T^2`.

    A score alone says nothing: adding a number to all of a query changes
    nothing. The mean over a batch is that over its queries. It reads off the
    labels which rows are of one query, as those of a
    `keras_distill.tasks.RankingTask` tell; `per_example` without labels takes
    all rows for one query.

    Args:
        temperature: float, or a schedule, a function of the optimizer's
            step. More than 0. Defaults to `1.0`.
        loss: str. `"kl"` or `"cross_entropy"`. Defaults to `"kl"`.
        outputs: Optional sequence of output names. Which outputs of a model
            with several ones are compared. Defaults to all that teacher and
            student both have.
        name: str. Defaults to `"logits"`.

    Raises:
        ValueError: At construction for unknown words; when matched, if the
            models give more than one number for each pair.

    Example:

    >>> from keras_distill import losses
    >>> loss = losses.RankingDistillation()
    >>> # Two queries of two candidates; the student is as sure of the first.
    >>> values = loss.per_example(
    ...     [[2.0], [1.0], [3.0], [0.0]],
    ...     [[5.0], [4.0], [0.0], [0.0]],
    ...     y=[1, -1, 2, -2],
    ... )
    >>> [round(abs(float(value)), 4) for value in values]
    [0.0, 0.0, 0.5023, 0.5023]

    Reference:
        - MT-DNN with knowledge distillation, https://arxiv.org/abs/1904.09482.
    """

    reads_labels = True

    def __init__(self, temperature=1.0, loss="kl", outputs=None, name="logits"):
        check_choice("loss", loss, ("kl", "cross_entropy"))
        super().__init__(temperature, loss, outputs=outputs, name=name)

    def per_example(
        self, teacher, student, mask=None, y=None, sample_weight=None
    ):
        del mask, sample_weight
        teacher, student = map(functional.as_float32, (teacher, student))
        queries = ops.ones_like(teacher[:, 0])
        if y is not None:
            queries = ops.abs(ops.reshape(ops.convert_to_tensor(y), (-1,)))
        formula = {
            "kl": functional.ranking_kl,
            "cross_entropy": functional.ranking_soft_cross_entropy,
        }[self.loss]
        return formula(teacher, student, queries, self.temperature)

    def get_config(self):
        config = super().get_config()
        for argument in ("multi_label", "normalization"):
            del config[argument]
        return config

    def _check_size(self, size):
        if size != 1:
            raise ValueError(
                "`RankingDistillation` compares one score for each pair. "
                f"Received: models with {size} outputs. Use "
                "`LogitsDistillation` for classes."
            )

    def _formula(self):
        return super()._formula() + " over the candidates of a query"
