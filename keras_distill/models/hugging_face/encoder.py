"""The encoder of a folder that `transformers` wrote."""

from keras_distill.models.hugging_face import mobilebert
from keras_distill.models.hugging_face.assign import assign
from keras_distill.models.hugging_face.assign import dense_weights
from keras_distill.models.hugging_face.assign import norm_weights
from keras_distill.models.hugging_face.families import WITH_SEGMENTS

# The parts of a layer: the dense ones of attention and feed-forward, then
# the two normalizations.
_OF_BERT = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
    "attention.output.LayerNorm",
    "output.LayerNorm",
)
_OF_DISTILBERT = (
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "ffn.lin1",
    "ffn.lin2",
    "sa_layer_norm",
    "output_layer_norm",
)
# What the encoder's part of a file may hold that computes nothing.
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")


def load_encoder(checkpoint, load_weights=True, dtype=None):
    """Builds the encoder of a checkpoint, with its weights.

    Its features are those that `transformers` computes with the config as it
    is. It is KerasHub's class where that builds in the activation and the
    epsilon of the config, otherwise ours of the same name.

    Args:
        checkpoint: `Checkpoint`.
        load_weights: bool. Whether the weights are loaded; otherwise they
            are random. Defaults to `True`.
        dtype: Optional dtype or dtype policy of the encoder.

    Returns:
        KerasHub backbone.

    Raises:
        ValueError: If the weights do not fit the config.
    """
    family, settings = checkpoint.family, checkpoint.settings
    if family.backbone is None:
        return _by_keras_hub(checkpoint, load_weights, dtype)
    words = {**settings.sizes, "dtype": dtype}
    if checkpoint.config["model_type"] == "mobilebert":
        words |= mobilebert.what_weights_say(checkpoint)
    if checkpoint.has_segments:
        words["num_segments"] = settings.num_segments
    if checkpoint.is_built_in:
        backbone = family.keras_hub_backbone(**words)
    else:
        backbone = family.backbone(
            **words,
            activation=settings.activation,
            layer_norm_epsilon=settings.layer_norm_epsilon,
        )
    if not load_weights:
        return backbone
    named = dict(encoder_names(backbone, checkpoint.config["model_type"]))
    if hasattr(backbone, "pooled_dense") and not checkpoint.has_pooler:
        named = {
            name: variable
            for name, variable in named.items()
            if not name.startswith("pooler.")
        }
    _check_all_read(checkpoint, named)
    for name, variable in named.items():
        value = checkpoint.read(name)
        if name == "embeddings.position_embeddings.weight":
            value = _positions(value, checkpoint)
        assign(variable, value, name, checkpoint.folder)
    return backbone


def _by_keras_hub(checkpoint, load_weights, dtype):
    try:
        return checkpoint.family.keras_hub_backbone.from_preset(
            str(checkpoint.folder), load_weights=load_weights, dtype=dtype
        )
    # What a damaged file does to KerasHub has no class of its own.
    except Exception as error:
        raise ValueError(
            f"KerasHub could not read the encoder in {checkpoint.folder} "
            f"({type(error).__name__}: {error}). Save it again with "
            "`save_pretrained`, as a classifier."
        ) from error


def _positions(table, checkpoint):
    """The positions that tokens have, with what is added to all tokens."""
    table = table[checkpoint.settings.first_position :]
    common = "embeddings.token_type_embeddings.weight"
    if not checkpoint.has_segments and common in checkpoint:
        # RoBERTa has one segment, in which every token is.
        table = table + checkpoint.read(common)[0]
    return table


def _check_all_read(checkpoint, named):
    read = {*named, *_BUFFERS, "embeddings.token_type_embeddings.weight"}
    if checkpoint.config["model_type"] == "mobilebert":
        read |= mobilebert.unused(checkpoint)
    parts = ("embeddings.", "encoder.", "transformer.")
    unknown = [
        name
        for name in checkpoint
        if name.startswith(parts) and name not in read
    ]
    if unknown:
        raise ValueError(
            f"{checkpoint.folder} holds weights that no "
            f"{checkpoint.config['model_type']} has: {', '.join(unknown[:3])}"
            f"{' and more' if len(unknown) > 3 else ''}. Its encoder cannot "
            "be expressed."
        )


def encoder_names(backbone, model_type):
    """The variables of an encoder by their names in `transformers`.

    Args:
        backbone: KerasHub backbone, or ours.
        model_type: str. What `transformers` calls its kind.

    Yields:
        tuple of str and `keras.Variable`.
    """
    if model_type in WITH_SEGMENTS:
        positions = backbone.position_embedding
        yield (
            "embeddings.token_type_embeddings.weight",
            backbone.segment_embedding.embeddings,
        )
    else:
        positions = backbone.embeddings.position_embedding
    yield (
        "embeddings.word_embeddings.weight",
        backbone.token_embedding.embeddings,
    )
    yield (
        "embeddings.position_embeddings.weight",
        positions.position_embeddings,
    )
    yield from norm_weights(
        backbone.embeddings_layer_norm, "embeddings.LayerNorm"
    )
    if model_type == "mobilebert":
        yield from mobilebert.names(backbone)
    else:
        yield from _layer_names(backbone, model_type)
    if hasattr(backbone, "pooled_dense"):
        yield from dense_weights(backbone.pooled_dense, "pooler.dense")


def _layer_names(backbone, model_type):
    is_distilbert = model_type == "distilbert"
    for number, layer in enumerate(backbone.transformer_layers):
        if is_distilbert:
            names = [f"transformer.layer.{number}.{x}" for x in _OF_DISTILBERT]
        else:
            names = [f"encoder.layer.{number}.{x}" for x in _OF_BERT]
        attention = layer._self_attention_layer
        dense = (
            attention.query_dense,
            attention.key_dense,
            attention.value_dense,
            attention.output_dense,
            layer._feedforward_intermediate_dense,
            layer._feedforward_output_dense,
        )
        for part, name in zip(dense, names[:6], strict=True):
            yield from dense_weights(part, name)
        norms = layer._self_attention_layer_norm, layer._feedforward_layer_norm
        for part, name in zip(norms, names[6:], strict=True):
            yield from norm_weights(part, name)
