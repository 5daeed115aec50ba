"""The student's hidden states follow the teacher's."""

import keras

from keras_distill import layer_map as layer_maps
from keras_distill.checks.arguments import check_bool
from keras_distill.checks.arguments import check_choice
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.matching import PROJECTIONS
from keras_distill.losses.matching import mapped_layers
from keras_distill.losses.matching import match_tokens

TOKEN_LOSSES = {
    "mse": functional.mean_squared_error,
    "cosine": functional.cosine_distance,
    "kl": functional.soft_targets_kl,
}
# What the match plan says of each normalization.
TOKEN_NORMALIZATIONS = {
    "valid_tokens": "masked",
    "first_token": "first token",
    "official": "with padding",
}


@keras.saving.register_keras_serializable("keras_distill")
class HiddenStatesDistillation(DistillationLoss):
    """The student's hidden states follow the teacher's, layer by layer.

    `sum over (m, n) of mean_l d(W h_student[m, l], h_teacher[n, l])` over the
    pairs `(m, n)` of the layer map and the real tokens `l`, where `W` is a
    linear projection with bias and `d` one of

    - `"mse"`: the mean squared error over the width;
    - `"cosine"`: the cosine distance;
    - `"kl"`: `KL(softmax(h_teacher) || softmax(W h_student))`, the vectors
      read as logits over the width. XtremeDistil (2020) writes its
      representation loss as a KL divergence of hidden states, which are no
      distributions: they have negative entries and any sum. Keras's `"kld"`
      clips both sides to `[1e-7, 1]`, so that it is not least where the two
      agree, and gives no gradient where the student lies outside. After a
      softmax the divergence is finite, 0 only where the two differ by a
      constant, and never negative.

    Args:
        layer_map: Callable of `keras_distill.layer_map`. Which teacher layer
            each student layer learns from; layer 0 is the output of the
            embeddings. Defaults to `layer_map.uniform`.
        loss: str. `"mse"`, `"cosine"` or `"kl"`. Defaults to `"mse"`.
        include_embeddings: bool. Whether the embeddings are a pair of their
            own, `(0, 0)`, through the same projection, as in TinyBERT's
            script. Defaults to `False`.
        projection: How student widths become teacher widths. `"auto"`: one
            linear projection for all layers if widths differ, none if they
            are equal. `"shared"`: one in any case, as in TinyBERT's script.
            `"per_layer"`: one for each student layer, as in TinyBERT's
            released checkpoints and in XtremeDistilTransformers. `None`:
            none; widths must be equal. Defaults to `"auto"`.
        normalization: str. `"valid_tokens"`: the mean is over real tokens.
            `"first_token"`: the first token alone counts, as in
            XtremeDistilTransformers' code for classification.
            `"official"`: over all positions, padding included, as in
            TinyBERT's script, so that the value depends on the padding.
            Defaults to `"valid_tokens"`.
        name: str. Defaults to `"hidden_states"`.

    Example:

    ```python
    from keras_distill import layer_map
    from keras_distill import losses

    loss = losses.HiddenStatesDistillation(
        layer_map.explicit({1: 2, 2: 4}), include_embeddings=True
    )
    ```

    Reference:
        - TinyBERT, https://arxiv.org/abs/1909.10351;
          official code: `general_distill.py`.
        - XtremeDistil, https://arxiv.org/abs/2004.05686 (`"kl"`).
        - XtremeDistilTransformers,
          https://github.com/microsoft/xtreme-distil-transformers
          (`layer_map.top_aligned`, `projection="per_layer"`), `models.py`.
    """

    def __init__(
        self,
        layer_map=layer_maps.uniform,
        loss="mse",
        include_embeddings=False,
        projection="auto",
        normalization="valid_tokens",
        name="hidden_states",
    ):
        super().__init__(name)
        check_choice("loss", loss, tuple(TOKEN_LOSSES))
        check_choice("projection", projection, PROJECTIONS)
        check_choice(
            "normalization", normalization, tuple(TOKEN_NORMALIZATIONS)
        )
        check_bool("include_embeddings", include_embeddings)
        layer_maps.check_layer_map(layer_map)
        self.layer_map = layer_map
        self.loss = loss
        self.include_embeddings = include_embeddings
        self.projection = projection
        self.normalization = normalization

    @property
    def reads_padding(self):
        return self.normalization == "official"

    def match(self, teacher, student):
        pairs = mapped_layers(self.layer_map, teacher, student)
        if self.include_embeddings and (0, 0) not in pairs:
            pairs = ((0, 0), *pairs)
        how = f"{self.loss}, {TOKEN_NORMALIZATIONS[self.normalization]}"
        return tuple(
            match_tokens(
                teacher, student, pair, self.name, how, self.projection
            )
            for pair in pairs
        )

    def per_example(self, teacher, student, mask=None):
        values = TOKEN_LOSSES[self.loss](teacher, student)
        return mean_over_tokens(values, mask, self.normalization)

    def get_config(self):
        return {
            **super().get_config(),
            "layer_map": keras.saving.serialize_keras_object(self.layer_map),
            "loss": self.loss,
            "include_embeddings": self.include_embeddings,
            "projection": self.projection,
            "normalization": self.normalization,
        }


def mean_over_tokens(values, mask, normalization):
    """Mean of per-token values over the positions that count."""
    if normalization == "official":
        mask = None
    elif normalization == "first_token":
        values = values[:, :1]
        mask = None if mask is None else mask[:, :1]
    return functional.token_mean(values, mask)
