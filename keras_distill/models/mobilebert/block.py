"""A block of MobileBERT, and of its inverted-bottleneck teacher."""

import keras
from keras import ops

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.models.mobilebert.no_norm import NoNorm

SHARED_BOTTLENECK, BOTTLENECK, BLOCK = ATTENTION_INPUTS = (
    "shared_bottleneck",
    "bottleneck",
    "block",
)
NO_NORM, LAYER_NORM = NORMALIZATIONS = ("no_norm", "layer_norm")


@keras.saving.register_keras_serializable("keras_distill")
class MobileBertBlock(keras.layers.Layer):
    """A block of MobileBERT, and of its inverted-bottleneck teacher.

    Between blocks states are `D` wide, inside a block `d`: narrower in
    MobileBERT, wider in its teacher. With `N` the normalization and
    `x` `(B, L, D)`:

    - `s = N(x W)`, the block's bottleneck, `d` wide;
    - `h = N(attention(q, k, v) + s)`;
    - `h = N(f(h W1) W2 + h)`, for each feed-forward network in turn;
    - `y = N(dropout(h W') + x)`, `D` wide again.

    Args:
        intra_dim: int. `d`, the width inside the block.
        num_heads: int. Attention heads; divides `intra_dim`.
        intermediate_dim: int. Width of the feed-forward networks.
        num_feedforward_networks: int. How many stand above each other.
            Defaults to `1`.
        attention_inputs: str. What queries, keys and values are made of.
            `"shared_bottleneck"`: queries and keys of a bottleneck of their
            own, which they share, and values of `x`. `"bottleneck"`: all of
            `s`. `"block"`: all of `x`. Defaults to `"shared_bottleneck"`.
        normalization: str. `"no_norm"` or `"layer_norm"`. Defaults to
            `"no_norm"`.
        layer_norm_epsilon: float. Added to the variance in each layer
            normalization. Defaults to `1e-12`.
        activation: `f`, a name of Keras's or a callable. Defaults to
            `"relu"`.
        dropout: float. Dropout rate of what leaves the block. Defaults to
            `0.0`.
        attention_dropout: float. Dropout rate of the attention
            probabilities. Defaults to `0.1`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor `(B, L, D)`.
        padding_mask: Optional tensor `(B, L)`, 1 at real tokens.
        training: bool. Whether dropout is on.

    Returns:
        Tensor `(B, L, D)`.

    Raises:
        ValueError: If `num_heads` does not divide `intra_dim`.
    """

    def __init__(
        self,
        intra_dim,
        num_heads,
        intermediate_dim,
        num_feedforward_networks=1,
        attention_inputs=SHARED_BOTTLENECK,
        normalization=NO_NORM,
        layer_norm_epsilon=1e-12,
        activation="relu",
        dropout=0.0,
        attention_dropout=0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === Validation ===
        for argument, size in (
            ("intra_dim", intra_dim),
            ("num_heads", num_heads),
            ("intermediate_dim", intermediate_dim),
            ("num_feedforward_networks", num_feedforward_networks),
        ):
            check_int(argument, size, minimum=1)
        if intra_dim % num_heads:
            raise ValueError(
                "`num_heads` must divide `intra_dim`. Received: "
                f"num_heads={num_heads}, intra_dim={intra_dim}"
            )
        check_choice("attention_inputs", attention_inputs, ATTENTION_INPUTS)
        check_choice("normalization", normalization, NORMALIZATIONS)
        check_float("layer_norm_epsilon", layer_norm_epsilon, above=0)
        check_float("dropout", dropout, minimum=0, below=1)
        check_float("attention_dropout", attention_dropout, minimum=0, below=1)

        # === Config ===
        self.intra_dim = intra_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.num_feedforward_networks = num_feedforward_networks
        self.attention_inputs = attention_inputs
        self.normalization = normalization
        self.layer_norm_epsilon = layer_norm_epsilon
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.attention_dropout = attention_dropout

        # === Layers ===
        self.bottleneck_dense = self._dense(intra_dim, "bottleneck_dense")
        self.bottleneck_norm = self._norm("bottleneck_norm")
        self.key_query_dense = self.key_query_norm = None
        if attention_inputs == SHARED_BOTTLENECK:
            self.key_query_dense = self._dense(intra_dim, "key_query_dense")
            self.key_query_norm = self._norm("key_query_norm")
        self.attention = keras.layers.MultiHeadAttention(
            num_heads,
            intra_dim // num_heads,
            dropout=attention_dropout,
            output_shape=intra_dim,
            kernel_initializer=kernel_initializer(),
            dtype=self.dtype_policy,
            name="attention",
        )
        self.attention_norm = self._norm("attention_norm")
        numbers = range(num_feedforward_networks)
        self.intermediate_dense = [
            self._dense(
                intermediate_dim,
                f"intermediate_dense_{number}",
                self.activation,
            )
            for number in numbers
        ]
        self.feedforward_dense = [
            self._dense(intra_dim, f"feedforward_dense_{number}")
            for number in numbers
        ]
        self.feedforward_norm = [
            self._norm(f"feedforward_norm_{number}") for number in numbers
        ]
        self.output_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="output_dropout"
        )
        self.output_norm = self._norm("output_norm")

    def build(self, inputs_shape):
        narrow = (*inputs_shape[:-1], self.intra_dim)
        intermediate = (*inputs_shape[:-1], self.intermediate_dim)
        self.bottleneck_dense.build(inputs_shape)
        self.bottleneck_norm.build(narrow)
        if self.attention_inputs == SHARED_BOTTLENECK:
            self.key_query_dense.build(inputs_shape)
            self.key_query_norm.build(narrow)
        of_query, of_value = {
            SHARED_BOTTLENECK: (narrow, inputs_shape),
            BOTTLENECK: (narrow, narrow),
            BLOCK: (inputs_shape, inputs_shape),
        }[self.attention_inputs]
        self.attention.build(of_query, of_value, of_query)
        self.attention_norm.build(narrow)
        for into, out, norm in self._feedforward_networks():
            into.build(narrow)
            out.build(intermediate)
            norm.build(narrow)
        self.output_dense = self._dense(inputs_shape[-1], "output_dense")
        self.output_dense.build(narrow)
        self.output_norm.build(inputs_shape)

    def call(self, inputs, padding_mask=None, training=None):
        outputs, _ = self.attend_by(_attend, inputs, padding_mask, training)
        return outputs

    def attend_by(self, attend, inputs, padding_mask, training):
        """The block with another way through its attention layer.

        Args:
            attend: Callable `(attention, query, key, value, mask, training)`
                that gives the layer's output and anything besides.
            inputs: As in `call`.
            padding_mask: As in `call`.
            training: As in `call`.

        Returns:
            What `call` returns, and what `attend` gave besides.
        """
        mask = padding_mask
        if mask is not None:
            mask = ops.cast(ops.expand_dims(mask, axis=1), "int32")
        bottleneck = self.bottleneck_norm(self.bottleneck_dense(inputs))
        if self.attention_inputs == SHARED_BOTTLENECK:
            query = self.key_query_norm(self.key_query_dense(inputs))
            value = inputs
        else:
            is_narrow = self.attention_inputs == BOTTLENECK
            query = value = bottleneck if is_narrow else inputs
        x, besides = attend(self.attention, query, query, value, mask, training)
        x = self.attention_norm(x + bottleneck)
        for into, out, norm in self._feedforward_networks():
            x = norm(out(into(x)) + x)
        x = self.output_dropout(self.output_dense(x), training=training)
        return self.output_norm(x + inputs), besides

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "intra_dim": self.intra_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "num_feedforward_networks": self.num_feedforward_networks,
            "attention_inputs": self.attention_inputs,
            "normalization": self.normalization,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "attention_dropout": self.attention_dropout,
        }

    def _feedforward_networks(self):
        return zip(
            self.intermediate_dense,
            self.feedforward_dense,
            self.feedforward_norm,
            strict=True,
        )

    def _dense(self, width, name, activation=None):
        return keras.layers.Dense(
            width,
            activation=activation,
            kernel_initializer=kernel_initializer(),
            dtype=self.dtype_policy,
            name=name,
        )

    def _norm(self, name):
        return normalization_layer(
            self.normalization,
            self.layer_norm_epsilon,
            dtype=self.dtype_policy,
            name=name,
        )


def normalization_layer(kind, epsilon, **kwargs):
    """The layer that an argument `normalization` means."""
    if kind == NO_NORM:
        return NoNorm(**kwargs)
    return keras.layers.LayerNormalization(epsilon=epsilon, **kwargs)


def kernel_initializer():
    """BERT's own, anew for each layer: one gives the same numbers again."""
    return keras.initializers.TruncatedNormal(stddev=0.02)


def _attend(attention, query, key, value, mask, training):
    outputs = attention(
        query, value, key=key, attention_mask=mask, training=training
    )
    return outputs, None
