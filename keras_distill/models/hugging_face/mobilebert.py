"""What only MobileBERT has in a folder that `transformers` wrote."""

from keras_distill.models.hugging_face.assign import dense_weights
from keras_distill.models.hugging_face.assign import norm_weights
from keras_distill.models.mobilebert.block import SHARED_BOTTLENECK

_WORDS = "embeddings.word_embeddings.weight"


def what_weights_say(checkpoint):
    """The arguments of a backbone that the weights tell of.

    Args:
        checkpoint: `Checkpoint`.

    Returns:
        dict. `zero_pad_embedding` where the table's own row of the padding is
        zero: `transformers` zeroes nothing else. `use_pooler` where there is
        one that is used.
    """
    padding = checkpoint.config.get("pad_token_id") or 0
    wants_pooler = checkpoint.settings.sizes["use_pooler"]
    return {
        "zero_pad_embedding": not checkpoint.read(_WORDS)[padding].any(),
        "use_pooler": wants_pooler and checkpoint.has_pooler,
    }


def unused(checkpoint):
    """The weights that `transformers` writes and does not use.

    Args:
        checkpoint: `Checkpoint`.

    Returns:
        set of str.
    """
    if checkpoint.settings.sizes["attention_inputs"] == SHARED_BOTTLENECK:
        return set()
    return {name for name in checkpoint if ".bottleneck.attention." in name}


def names(backbone):
    """The variables of an encoder that are not BERT's, by their names.

    Args:
        backbone: `MobileBertBackbone`.

    Yields:
        tuple of str and `keras.Variable`.
    """
    yield from dense_weights(
        backbone.embeddings_projection, "embeddings.embedding_transformation"
    )
    for number, block in enumerate(backbone.transformer_layers):
        for name, dense, norm in _parts(block):
            name = f"encoder.layer.{number}.{name}"
            yield from dense_weights(dense, f"{name}dense")
            if norm is not None:
                yield from norm_weights(norm, f"{name}LayerNorm")
        for name in ("query", "key", "value"):
            dense = getattr(block.attention, f"{name}_dense")
            name = f"encoder.layer.{number}.attention.self.{name}"
            yield from dense_weights(dense, name)


def _parts(block):
    """The dense layers of a block, and what normalizes each."""
    yield "bottleneck.input.", block.bottleneck_dense, block.bottleneck_norm
    if block.key_query_dense is not None:
        yield (
            "bottleneck.attention.",
            block.key_query_dense,
            block.key_query_norm,
        )
    yield (
        "attention.output.",
        block.attention.output_dense,
        block.attention_norm,
    )
    last = block.num_feedforward_networks - 1
    for number in range(last + 1):
        # The last one stands apart.
        prefix = f"ffn.{number}." if number < last else ""
        yield f"{prefix}intermediate.", block.intermediate_dense[number], None
        yield (
            f"{prefix}output.",
            block.feedforward_dense[number],
            block.feedforward_norm[number],
        )
    yield "output.bottleneck.", block.output_dense, block.output_norm
