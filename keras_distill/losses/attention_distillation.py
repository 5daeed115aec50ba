"""The student's attention follows the teacher's."""

import keras

from keras_distill import layer_map as layer_maps
from keras_distill.checks.arguments import check_choice
from keras_distill.features import names
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.matching import Match
from keras_distill.losses.matching import attention_layers

_NORMALIZATIONS = ("valid_pairs", "valid_keys", "official")
# Of scores.
_FORMULAS = {
    "mse": functional.attention_scores_mse,
    "kl": functional.attention_kl,
    "cross_entropy": functional.attention_cross_entropy,
}


@keras.saving.register_keras_serializable("keras_distill")
class AttentionDistillation(DistillationLoss):
    """The student's attention follows the teacher's, head by head.

    The sum over the pairs of the layer map of, averaged over heads and real
    tokens, either

    - `"mse"`: the squared difference of attention scores (before the
      softmax) or of attention probabilities (after it);
    - `"kl"`: `KL(teacher || student)` of the attention distributions, or
    - `"cross_entropy"`: that and the entropy of the teacher's attention,
      which has no gradient.

    Teacher and student must have the same number of heads; where they do
    not, `RelationDistillation` compares them all the same.

    Args:
        layer_map: Callable of `keras_distill.layer_map`; pairs with layer 0,
            the embeddings, are left out. Defaults to `layer_map.uniform`.
        feature: str. `"scores"` or `"probabilities"`; with `loss="kl"` and
            `"cross_entropy"` both mean the same. Defaults to `"scores"`,
            TinyBERT's choice.
        loss: str. `"mse"`, `"kl"` or `"cross_entropy"`. Defaults to `"mse"`.
        normalization: str. Which entries the mean takes in:
            `"valid_pairs"` of a real query and a real key; `"valid_keys"`,
            padded queries included, as in MobileBERT's released code; or
            `"official"`, all entries with scores of padding set to 0, as
            TinyBERT's script has it (`"mse"` of scores only). See
            `keras_distill.losses.functional.attention_scores_mse` and
            `attention_kl`. Defaults to `"valid_pairs"`.
        name: str. Defaults to `"attention"`.

    Example:

    ```python
    from keras_distill import layer_map
    from keras_distill import losses

    loss = losses.AttentionDistillation(layer_map.last, loss="kl")
    ```

    Reference:
        - TinyBERT, https://arxiv.org/abs/1909.10351;
          official code: `general_distill.py`.
        - MiniLM, https://arxiv.org/abs/2002.10957 (`"kl"`).
        - MobileBERT, https://arxiv.org/abs/2004.02984 (`"kl"`);
          released code: `run_pretraining.py` (`"cross_entropy"`).
    """

    def __init__(
        self,
        layer_map=layer_maps.uniform,
        feature="scores",
        loss="mse",
        normalization="valid_pairs",
        name="attention",
    ):
        super().__init__(name)
        check_choice("feature", feature, ("scores", "probabilities"))
        check_choice("loss", loss, tuple(_FORMULAS))
        check_choice("normalization", normalization, _NORMALIZATIONS)
        layer_maps.check_layer_map(layer_map)
        _check_normalization(normalization, loss, feature)
        self.layer_map = layer_map
        self.feature = feature
        self.loss = loss
        self.normalization = normalization

    @property
    def reads_padding(self):
        return self.normalization != "valid_pairs"

    def match(self, teacher, student):
        # What compares distributions is computed from scores as well, in log
        # space.
        use_scores = self.feature == "scores" or self.loss != "mse"
        kind = (
            names.ATTENTION_SCORES
            if use_scores
            else names.ATTENTION_PROBABILITIES
        )
        matches = []
        for student_layer, teacher_layer in attention_layers(
            self.layer_map, teacher, student
        ):
            teacher_feature = names.layer_feature(kind, teacher_layer)
            student_feature = names.layer_feature(kind, student_layer)
            heads = teacher.shape(teacher_feature)[1]
            _check_heads(heads, student.shape(student_feature)[1])
            note = (
                f"attention {self.feature}, {heads} heads, {self.loss}, "
                f"{self.normalization.replace('_', ' ')}"
            )
            matches.append(Match(student_feature, teacher_feature, note))
        return tuple(matches)

    def per_example(self, teacher, student, mask=None):
        if self.loss == "mse" and self.feature == "probabilities":
            return functional.attention_probabilities_mse(
                teacher, student, mask
            )
        return _FORMULAS[self.loss](teacher, student, mask, self.normalization)

    def get_config(self):
        return {
            **super().get_config(),
            "layer_map": keras.saving.serialize_keras_object(self.layer_map),
            "feature": self.feature,
            "loss": self.loss,
            "normalization": self.normalization,
        }


def _check_normalization(normalization, loss, feature):
    allowed = _NORMALIZATIONS
    if loss != "mse":
        allowed = ("valid_pairs", "valid_keys")
    elif feature == "probabilities":
        allowed = ("valid_pairs",)
    if normalization not in allowed:
        raise ValueError(
            f"With loss={loss!r} and feature={feature!r}, `normalization` "
            f"must be one of {', '.join(map(repr, allowed))}. "
            f"Received: normalization={normalization!r}"
        )


def _check_heads(teacher_heads, student_heads):
    if teacher_heads != student_heads:
        raise ValueError(
            "`AttentionDistillation` compares head with head. Received: a "
            f"teacher with {teacher_heads} heads and a student with "
            f"{student_heads}. Give the student {teacher_heads} heads, or "
            "use `RelationDistillation`, which leaves the heads free."
        )
