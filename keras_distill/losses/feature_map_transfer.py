"""The student's hidden states follow the teacher's, their statistics apart."""

import keras

from keras_distill import layer_map as layer_maps
from keras_distill.checks.arguments import Number
from keras_distill.checks.arguments import check_choice
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.hidden_states_distillation import TOKEN_NORMALIZATIONS
from keras_distill.losses.hidden_states_distillation import mean_over_tokens
from keras_distill.losses.matching import PROJECTIONS
from keras_distill.losses.matching import mapped_layers
from keras_distill.losses.matching import match_tokens

_PARTS = {
    "normalized": functional.normalized_mean_squared_error,
    "mean": functional.squared_mean_error,
    "variance": functional.absolute_variance_error,
}
_NORMALIZATIONS = ("valid_tokens", "official")
_WEIGHT = Number(float, minimum=0)


@keras.saving.register_keras_serializable("keras_distill")
class FeatureMapTransfer(DistillationLoss):
    """The student's hidden states follow the teacher's, statistics apart.

    MobileBERT's feature-map transfer as its released code has it, "for
    stability": the sum over the pairs of the layer map of, averaged over the
    real tokens,

    `100 * 1/D * sum_d (n(t)_d - n(s)_d)^2 + 5000 * (mean(t) - mean(s))^2 +
    5 * |var(t) - var(s)|`

    with `t` the teacher's vector of a token, `s` the student's, and
    `n(x) = (x - mean(x)) / sqrt(var(x) + 1e-12)`. What the paper writes, the
    squared difference of `t` and `s`, is `HiddenStatesDistillation()`.

    Args:
        layer_map: Callable of `keras_distill.layer_map`. Which teacher layer
            each student layer learns from. Defaults to `layer_map.uniform`.
        weights: sequence of three floats, of the normalised vectors, of the
            means and of the variances. A part of weight 0 is not computed:
            to see each part logged by itself, use three losses of one part
            each. Defaults to `(100, 5000, 5)`.
        projection: As of `HiddenStatesDistillation`. Defaults to `"auto"`.
        normalization: str. `"valid_tokens"`: the mean is over real tokens.
            `"official"`: over all positions, padding included, as in
            MobileBERT's released code, so that the value depends on the
            padding. Defaults to `"valid_tokens"`.
        name: str. Defaults to `"feature_map"`.

    Example:

    ```python
    from keras_distill import layer_map
    from keras_distill import losses

    # Released: both over the number of layers.
    distillation_losses = [
        losses.FeatureMapTransfer(),
        losses.AttentionDistillation(loss="cross_entropy"),
    ]
    distillation_loss_weights = [1 / 24, 1 / 24]
    ```

    Reference:
        - MobileBERT, https://arxiv.org/abs/2004.02984;
          released code: `run_pretraining.py`.
    """

    def __init__(
        self,
        layer_map=layer_maps.uniform,
        weights=(100.0, 5000.0, 5.0),
        projection="auto",
        normalization="valid_tokens",
        name="feature_map",
    ):
        super().__init__(name)
        layer_maps.check_layer_map(layer_map)
        _check_weights(weights)
        check_choice("projection", projection, PROJECTIONS)
        check_choice("normalization", normalization, _NORMALIZATIONS)
        self.layer_map = layer_map
        self.weights = tuple(float(weight) for weight in weights)
        self.projection = projection
        self.normalization = normalization

    @property
    def reads_padding(self):
        return self.normalization == "official"

    def match(self, teacher, student):
        how = " + ".join(f"{weight:g} {part}" for part, weight in self._parts())
        how = f"{how}, {TOKEN_NORMALIZATIONS[self.normalization]}"
        return tuple(
            match_tokens(
                teacher, student, pair, self.name, how, self.projection
            )
            for pair in mapped_layers(self.layer_map, teacher, student)
        )

    def per_example(self, teacher, student, mask=None):
        parts = [
            weight * _PARTS[part](teacher, student)
            for part, weight in self._parts()
        ]
        values = sum(parts[1:], start=parts[0])
        return mean_over_tokens(values, mask, self.normalization)

    def get_config(self):
        return {
            **super().get_config(),
            "layer_map": keras.saving.serialize_keras_object(self.layer_map),
            "weights": list(self.weights),
            "projection": self.projection,
            "normalization": self.normalization,
        }

    def _parts(self):
        """The parts that count, with their weights."""
        return [
            (part, weight)
            for part, weight in zip(_PARTS, self.weights, strict=True)
            if weight
        ]


def _check_weights(weights):
    if (
        not isinstance(weights, (list, tuple))
        or len(weights) != len(_PARTS)
        or not all(map(_WEIGHT.accepts, weights))
        or not any(weights)
    ):
        raise ValueError(
            "`weights` must be three numbers of 0 or more, for the normalized "
            "vectors, their means and their variances, one of them above 0. "
            f"Received: weights={weights!r}"
        )
