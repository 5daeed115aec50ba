"""Activation and epsilon of KerasHub's encoders, which build both in."""

import math

import keras


def set_encoder_settings(backbone, activation, layer_norm_epsilon):
    """Gives all layers of a backbone another activation and epsilon.

    Args:
        backbone: KerasHub backbone that has just been built: its transformer
            layers are `keras_hub.layers.TransformerEncoder`, its embeddings
            are normalized by `embeddings_layer_norm`.
        activation: Activation of the feed-forward layers, as
            `keras.activations.get` takes it.
        layer_norm_epsilon: float. Added to the variance in every layer
            normalization.
    """
    activation = keras.activations.get(activation)
    normalizations = [backbone.embeddings_layer_norm]
    is_gelu = activation is keras.activations.gelu
    for layer in backbone.transformer_layers:
        # What the layer says of itself, and what its parts compute with.
        layer.activation = activation
        layer.layer_norm_epsilon = layer_norm_epsilon
        layer._feedforward_intermediate_dense.activation = (
            _gelu if is_gelu else activation
        )
        normalizations += [
            layer._self_attention_layer_norm,
            layer._feedforward_layer_norm,
        ]
    for normalization in normalizations:
        normalization.epsilon = layer_norm_epsilon
    backbone.activation = activation
    backbone.layer_norm_epsilon = layer_norm_epsilon


def _gelu(x):
    """GELU by `erf`, `0.5 x (1 + erf(x / sqrt(2)))`, as PyTorch has it.

    Keras has it by TensorFlow's `erfc`, which is slower on a CPU, in bfloat16
    most of all.
    """
    half = keras.ops.multiply(x, 0.5)
    root = keras.ops.multiply(x, math.sqrt(0.5))
    return keras.ops.add(half, half * keras.ops.erf(root))


def encoder_settings(backbone):
    """The part of a backbone's config that names the two.

    Args:
        backbone: Backbone with `activation` and `layer_norm_epsilon`.

    Returns:
        dict of `activation` and `layer_norm_epsilon`.
    """
    return {
        "activation": keras.activations.serialize(backbone.activation),
        "layer_norm_epsilon": backbone.layer_norm_epsilon,
    }


class WithEncoderSettings:
    """Makes activation and epsilon arguments of a KerasHub backbone.

    A subclass has the epsilon that KerasHub builds in as `built_in_epsilon`.
    """

    built_in_epsilon = None

    def __init__(
        self, *args, activation="gelu", layer_norm_epsilon=None, **kwargs
    ):
        super().__init__(*args, **kwargs)
        if layer_norm_epsilon is None:
            layer_norm_epsilon = self.built_in_epsilon
        set_encoder_settings(self, activation, layer_norm_epsilon)

    def get_config(self):
        return {**super().get_config(), **encoder_settings(self)}
