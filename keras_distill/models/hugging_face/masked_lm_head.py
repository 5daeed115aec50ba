"""The heads of the pre-training in a folder that `transformers` wrote."""

from keras_distill.models.hugging_face.assign import assign
from keras_distill.models.hugging_face.assign import dense_weights
from keras_distill.models.hugging_face.assign import norm_weights

# The dense layer, the normalization and the bias, by `model_type`.
_OF_BERT = (
    "cls.predictions.transform.dense",
    "cls.predictions.transform.LayerNorm",
    "cls.predictions.bias",
)
_OF_ROBERTA = ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias")
# MobileBERT's weights that are not the words'.
_UNTIED = "cls.predictions.dense.weight"
_NEXT_SENTENCE = "cls.seq_relationship"
_NAMES = {
    "bert": _OF_BERT,
    "mobilebert": _OF_BERT,
    "roberta": _OF_ROBERTA,
    "xlm-roberta": _OF_ROBERTA,
    "distilbert": (
        "vocab_transform",
        "vocab_layer_norm",
        "vocab_projector.bias",
    ),
    "albert": (
        "predictions.dense",
        "predictions.LayerNorm",
        "predictions.bias",
    ),
}


def has_masked_lm_head(checkpoint):
    """Whether a checkpoint holds the head of a masked language model.

    Args:
        checkpoint: `Checkpoint`.

    Returns:
        bool.
    """
    dense, _, _ = _NAMES[checkpoint.config["model_type"]]
    return f"{dense}.weight" in checkpoint


def load_masked_lm_head(head, checkpoint):
    """Gives a head the weights of a checkpoint.

    Its last layer are the words of the encoder turned round, as they are in
    every checkpoint of these families; in MobileBERT's, beside weights of the
    head alone.

    Args:
        head: `keras_distill.models.masked_lm_head.MaskedLMHead`, built.
        checkpoint: `Checkpoint`.

    Raises:
        ValueError: If a weight is missing or of another shape.
    """
    names = masked_lm_names(head, checkpoint.config["model_type"])
    for name, variable in names:
        assign(variable, checkpoint.read(name), name, checkpoint.folder)


def masked_lm_names(head, model_type):
    """The variables of a masked language model's head by their names.

    Args:
        head: `keras_distill.models.masked_lm_head.MaskedLMHead`, built.
        model_type: str. What `transformers` calls the encoder's kind.

    Yields:
        tuple of str and `keras.Variable`.
    """
    dense, norm, bias = _NAMES[model_type]
    yield from dense_weights(head._intermediate_dense, dense)
    yield from norm_weights(head._intermediate_layer_norm, norm)
    yield bias, head._bias
    if head._untied is not None:
        yield _UNTIED, head._untied


def has_next_sentence_head(checkpoint):
    """Whether a checkpoint tells if one text follows another.

    Args:
        checkpoint: `Checkpoint`.

    Returns:
        bool.
    """
    return f"{_NEXT_SENTENCE}.weight" in checkpoint


def load_next_sentence_head(dense, checkpoint):
    """Gives the head of next sentences the weights of a checkpoint.

    Args:
        dense: `keras.layers.Dense`, built.
        checkpoint: `Checkpoint`.

    Raises:
        ValueError: If a weight is missing or of another shape.
    """
    for name, variable in next_sentence_names(dense):
        assign(variable, checkpoint.read(name), name, checkpoint.folder)


def next_sentence_names(dense):
    """The variables of the head of next sentences by their names."""
    yield from dense_weights(dense, _NEXT_SENTENCE)
