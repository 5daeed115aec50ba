"""The output of the student's embeddings follows the teacher's."""

import keras

from keras_distill.checks.arguments import check_choice
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.hidden_states_distillation import TOKEN_LOSSES
from keras_distill.losses.hidden_states_distillation import TOKEN_NORMALIZATIONS
from keras_distill.losses.hidden_states_distillation import mean_over_tokens
from keras_distill.losses.matching import PROJECTIONS
from keras_distill.losses.matching import match_tokens


@keras.saving.register_keras_serializable("keras_distill")
class EmbeddingsDistillation(DistillationLoss):
    """The output of the student's embeddings follows the teacher's.

    `mean_l d(W e_student[l], e_teacher[l])` over the real tokens `l`, where
    `e` is what enters the first transformer layer (the sum of word, position
    and segment embeddings after normalization and dropout), `d` a
    distance as in `HiddenStatesDistillation`, and `W` a linear projection with
    bias of its own (`W_e` of the paper).

    Args:
        loss: str. `"mse"`, `"cosine"` or `"kl"`. Defaults to `"mse"`.
        projection: `"auto"` (a projection if widths differ), `"shared"`
            (always), or `None` (never). Defaults to `"auto"`.
        normalization: str. `"valid_tokens"`, `"first_token"` or `"official"`
            (padding included). Defaults to `"valid_tokens"`.
        name: str. Defaults to `"embeddings"`.

    Example:

    ```python
    from keras_distill import losses

    loss = losses.EmbeddingsDistillation()
    ```

    Reference:
        - TinyBERT, https://arxiv.org/abs/1909.10351. Its
          script uses one projection for embeddings and
          hidden states: `HiddenStatesDistillation(include_embeddings=True)`.
    """

    def __init__(
        self,
        loss="mse",
        projection="auto",
        normalization="valid_tokens",
        name="embeddings",
    ):
        super().__init__(name)
        check_choice("loss", loss, tuple(TOKEN_LOSSES))
        allowed = tuple(p for p in PROJECTIONS if p != "per_layer")
        check_choice("projection", projection, allowed)
        check_choice(
            "normalization", normalization, tuple(TOKEN_NORMALIZATIONS)
        )
        self.loss = loss
        self.projection = projection
        self.normalization = normalization

    @property
    def reads_padding(self):
        return self.normalization == "official"

    def match(self, teacher, student):
        match = match_tokens(
            teacher,
            student,
            (0, 0),
            self.name,
            f"{self.loss}, {TOKEN_NORMALIZATIONS[self.normalization]}",
            self.projection,
            label="embeddings",
        )
        return (match,)

    def per_example(self, teacher, student, mask=None):
        values = TOKEN_LOSSES[self.loss](teacher, student)
        return mean_over_tokens(values, mask, self.normalization)

    def get_config(self):
        return {
            **super().get_config(),
            "loss": self.loss,
            "projection": self.projection,
            "normalization": self.normalization,
        }
