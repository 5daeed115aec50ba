"""Masked pieces from labels and teacher at once, next sentences from labels."""

import keras
from keras import ops

from keras_distill.checks.arguments import Number
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.numbers_or_schedules import check_number_or_schedule
from keras_distill.checks.numbers_or_schedules import config_of
from keras_distill.checks.numbers_or_schedules import in_words
from keras_distill.features import names
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.logits_distillation import LogitsDistillation
from keras_distill.losses.matching import Match

_ALPHA = Number(float, minimum=0, maximum=1)
_NORMALIZATIONS = ("valid_tokens", "official")


@keras.saving.register_keras_serializable("keras_distill")
class PretrainingDistillation(DistillationLoss):
    """Masked pieces from labels and teacher at once, next sentences by labels.

    MobileBERT's pre-training distillation of a masked language model:

    `alpha * MLM + (1 - alpha) * KD + NSP`

    with `MLM` the mean over the masked pieces of `-log softmax(student)` of
    the piece that was there, `KD` that of `-sum_c softmax(teacher)_c *
    log softmax(student)_c`, and `NSP` the cross-entropy of the student's
    prediction of the next sentence, which has no teacher.

    It reads the labels, so a `Distiller` takes it alone, with
    `student_loss_weight=0`. The sample weights of a batch are 1 where a piece
    is to be predicted and 0 elsewhere, as `keras_distill.corpora` gives them.

    Without `NSP` the same is `LogitsDistillation(loss="cross_entropy")` in a
    `Distiller` with `student_loss_weight=alpha`, whose student loss has
    `reduction="mean_with_sample_weight"`; its parts are logged one by one.

    Args:
        alpha: float from 0 to 1, or a schedule, a function of the optimizer's
            step. The share of the labels. Defaults to `0.5`.
        masked_lm: Optional str. Name of the output `(B, N, V)` with logits of
            the masked pieces. Defaults to the only output of the models.
        next_sentence: Optional str. Name of the student's output `(B, 2)`
            with logits of the next sentence. Defaults to none, without that
            term.
        normalization: str. `"valid_tokens"`: the mean over the masked pieces
            of a row, then over rows. `"official"`: over all masked pieces of
            the batch, whose number has 1e-5 added, as in MobileBERT's
            released code. Defaults to `"valid_tokens"`.
        name: str. Defaults to `"pretraining"`.

    Raises:
        ValueError: At construction for arguments out of their range; when
            matched, if an output is missing, or gives no logits.

    Example:

    ```python
    from keras_distill import losses

    # On batches of a masked language model with both of BERT's heads.
    loss = losses.PretrainingDistillation(
        masked_lm="masked_lm", next_sentence="next_sentence"
    )
    ```

    Reference:
        - MobileBERT, https://arxiv.org/abs/2004.02984;
          released code: `run_pretraining.py`.
    """

    reads_labels = True
    changing_numbers = ("alpha",)

    def __init__(
        self,
        alpha=0.5,
        masked_lm=None,
        next_sentence=None,
        normalization="valid_tokens",
        name="pretraining",
    ):
        super().__init__(name)
        _check_output("masked_lm", masked_lm)
        _check_output("next_sentence", next_sentence)
        if next_sentence is not None and masked_lm in (None, next_sentence):
            raise ValueError(
                "With `next_sentence` the other output must be named as well. "
                f"Received: masked_lm={masked_lm!r}, "
                f"next_sentence={next_sentence!r}"
            )
        check_choice("normalization", normalization, _NORMALIZATIONS)
        self.alpha = alpha
        self.masked_lm = masked_lm
        self.next_sentence = next_sentence
        self.normalization = normalization
        self.check_numbers()

    def check_numbers(self):
        check_number_or_schedule("alpha", self.alpha, _ALPHA)

    def match(self, teacher, student):
        matches = LogitsDistillation(
            loss="cross_entropy",
            outputs=None if self.masked_lm is None else [self.masked_lm],
        ).match(teacher, student)
        if len(matches) > 1:
            raise ValueError(
                "The models have several outputs: "
                f"{', '.join(match.student for match in matches)}. Name the "
                "one of masked pieces by `masked_lm`, and the one of the next "
                "sentence by `next_sentence`."
            )
        pieces = matches[0].student
        note = (
            f"masked pieces, {in_words(self.alpha)} of labels, rest of teacher"
        )
        features = (pieces,)
        if self.next_sentence is not None:
            features += (f"{names.OUTPUT}.{self.next_sentence}",)
            if not student.is_opaque:
                student.shape(features[1])
            note += "; next sentence, of labels"
        return (Match(features, (pieces,), note),)

    def per_example(
        self, teacher, student, mask=None, y=None, sample_weight=None
    ):
        # The mask is of the tokens, where masked pieces are some of.
        del mask
        (teacher_logits,) = teacher.values()
        student_logits, *next_sentence = student.values()
        values = functional.mixed_cross_entropy(
            self._labels(y, self.masked_lm),
            teacher_logits,
            student_logits,
            self.alpha,
        )
        weights = _of_output(sample_weight, self.masked_lm)
        if weights is None or len(weights.shape) < 2:
            weights = ops.ones_like(values)
        if self.normalization == "official":
            total = functional.batch_token_mean(values, weights)
        else:
            total = functional.token_mean(values, weights)
        if next_sentence:
            total = total + self._of_next_sentence(
                *next_sentence, y, sample_weight
            )
        return total

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": config_of(self.alpha),
            "masked_lm": self.masked_lm,
            "next_sentence": self.next_sentence,
            "normalization": self.normalization,
        }

    def _labels(self, y, output):
        labels = _of_output(y, output)
        if labels is None:
            raise ValueError(
                f"The loss '{self.name}' takes labels of the output "
                f"{output!r}. Received: labels of {', '.join(y)}"
            )
        return labels

    def _of_next_sentence(self, logits, y, sample_weight):
        labels = ops.reshape(self._labels(y, self.next_sentence), (-1,))
        values = functional.label_cross_entropy(labels, logits)
        weights = _of_output(sample_weight, self.next_sentence)
        if weights is None:
            return values
        return values * ops.reshape(functional.as_float32(weights), (-1,))


def _of_output(labels, output):
    """The part of a batch's labels or weights that belongs to an output."""
    if output is None or labels is None:
        return labels
    return labels.get(output) if isinstance(labels, dict) else labels


def _check_output(argument, name):
    if name is not None and (not isinstance(name, str) or not name):
        raise ValueError(
            f"`{argument}` must be the name of an output, or None. "
            f"Received: {argument}={name!r}"
        )
