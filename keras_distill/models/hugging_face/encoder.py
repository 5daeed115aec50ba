"""The encoder of a folder that `transformers` wrote."""

import math

from keras_distill.models.bert import BertBackbone
from keras_distill.models.hugging_face.settings import activation_of


def load_encoder(checkpoint, dtype=None):
    """Builds the encoder of a checkpoint, with its weights.

    Args:
        checkpoint: `Checkpoint`.
        dtype: Optional dtype or dtype policy of the encoder.

    Returns:
        Backbone.

    Raises:
        ValueError: If the config says something that cannot be expressed, or
            the weights do not fit it.
    """
    config = checkpoint.config
    backbone = BertBackbone(
        vocabulary_size=config["vocab_size"],
        num_layers=config["num_hidden_layers"],
        num_heads=config["num_attention_heads"],
        hidden_dim=config["hidden_size"],
        intermediate_dim=config["intermediate_size"],
        activation=activation_of(config.get("hidden_act", "gelu")),
        layer_norm_epsilon=config.get("layer_norm_eps", 1e-12),
        dropout=config.get("hidden_dropout_prob", 0.1),
        max_sequence_length=config["max_position_embeddings"],
        num_segments=config.get("type_vocab_size", 2),
        dtype=dtype,
    )
    for variable, name in _weights(backbone):
        assign(variable, checkpoint.read(name), name)
    return backbone


def assign(variable, value, name):
    """Gives a variable the value that PyTorch's weight has.

    Args:
        variable: `keras.Variable`.
        value: Array. A dense layer's kernel is transposed, and its heads lie
            on one axis.
        name: str, the weight's, for the message.

    Raises:
        ValueError: If their sizes differ.
    """
    if variable.name == "kernel":
        value = value.T
    shape = tuple(variable.shape)
    is_in_heads = len(shape) != value.ndim
    if value.size != math.prod(shape) or not (
        is_in_heads or value.shape == shape
    ):
        raise ValueError(
            f"The weight {name!r} has shape {value.shape}, where config.json "
            f"has room for {shape}."
        )
    variable.assign(value.reshape(shape))


def _weights(backbone):
    """The variables of a BERT, each with its name in `transformers`."""
    yield (
        backbone.token_embedding.embeddings,
        "embeddings.word_embeddings.weight",
    )
    yield (
        backbone.position_embedding.position_embeddings,
        "embeddings.position_embeddings.weight",
    )
    yield (
        backbone.segment_embedding.embeddings,
        "embeddings.token_type_embeddings.weight",
    )
    yield from _norm(backbone.embeddings_layer_norm, "embeddings.LayerNorm")
    for number, layer in enumerate(backbone.transformer_layers):
        attention = layer._self_attention_layer
        for part, name in (
            (attention.query_dense, "attention.self.query"),
            (attention.key_dense, "attention.self.key"),
            (attention.value_dense, "attention.self.value"),
            (attention.output_dense, "attention.output.dense"),
            (layer._feedforward_intermediate_dense, "intermediate.dense"),
            (layer._feedforward_output_dense, "output.dense"),
        ):
            yield from dense_weights(part, f"encoder.layer.{number}.{name}")
        for part, name in (
            (layer._self_attention_layer_norm, "attention.output.LayerNorm"),
            (layer._feedforward_layer_norm, "output.LayerNorm"),
        ):
            yield from _norm(part, f"encoder.layer.{number}.{name}")
    yield from dense_weights(backbone.pooled_dense, "pooler.dense")


def dense_weights(layer, name):
    """The two variables of a dense layer, each with its name."""
    yield layer.kernel, f"{name}.weight"
    yield layer.bias, f"{name}.bias"


def _norm(layer, name):
    yield layer.gamma, f"{name}.weight"
    yield layer.beta, f"{name}.bias"
