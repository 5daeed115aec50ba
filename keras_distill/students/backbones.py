"""Where the parts of a KerasHub encoder are."""

import keras_hub


def backbone_of(model, argument):
    """Returns the backbone of a KerasHub task, or the backbone itself.

    Args:
        model: A `keras_hub.models.Task` or `keras_hub.models.Backbone`.
        argument: string. How the caller names `model`, for the message.

    Raises:
        ValueError: If `model` is neither.
    """
    if isinstance(model, keras_hub.models.Backbone):
        return model
    if isinstance(model, keras_hub.models.Task):
        return model.backbone
    raise ValueError(
        f"`{argument}` must be a KerasHub task (such as `BertTextClassifier`) "
        f"or backbone. Received: {type(model).__name__}. Pass the KerasHub "
        "model itself, not a model that wraps it."
    )


def embedding_layers(backbone):
    """Returns the layers that hold a backbone's embedding tables.

    BERT and ELECTRA keep them as attributes; RoBERTa and DistilBERT keep words
    and positions in one `TokenAndPositionEmbedding`.

    Returns:
        Dict of layers: `"words"` and, where the backbone has them,
        `"positions"` and `"segments"`.

    Raises:
        ValueError: If the backbone has no table of words.
    """
    combined = getattr(backbone, "embeddings", None)
    if isinstance(combined, keras_hub.layers.TokenAndPositionEmbedding):
        return {
            "words": combined.token_embedding,
            "positions": combined.position_embedding,
        }
    layers = {
        "words": backbone.token_embedding,
        "positions": getattr(backbone, "position_embedding", None),
        "segments": getattr(backbone, "segment_embedding", None),
    }
    if layers["words"] is None:
        raise ValueError(
            f"{type(backbone).__name__} has no table of words, so its "
            'embeddings cannot be taken over. Use embeddings="random".'
        )
    return {name: layer for name, layer in layers.items() if layer is not None}


def embedding_tables(backbone):
    """The tables of `embedding_layers`, by the same names."""
    return {
        name: layer.position_embeddings
        if name == "positions"
        else layer.embeddings
        for name, layer in embedding_layers(backbone).items()
    }


def embedding_widths(backbone):
    """How wide each of them is."""
    tables = embedding_tables(backbone)
    return {name: table.shape[-1] for name, table in tables.items()}


def word_projection(backbone):
    """The dense layer that a factorized table of words has, or `None`."""
    return getattr(backbone, "token_projection", None)
