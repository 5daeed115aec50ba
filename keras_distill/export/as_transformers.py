"""A MobileBERT as `transformers` has it: its config and its weights."""

import keras

from keras_distill import models
from keras_distill.models.hugging_face.assign import dense_weights
from keras_distill.models.hugging_face.assign import torch_value
from keras_distill.models.hugging_face.encoder import encoder_names
from keras_distill.models.hugging_face.masked_lm_head import masked_lm_names
from keras_distill.models.hugging_face.masked_lm_head import next_sentence_names
from keras_distill.models.hugging_face.settings import ACTIVATIONS
from keras_distill.models.mobilebert.block import BLOCK
from keras_distill.models.mobilebert.block import BOTTLENECK
from keras_distill.models.mobilebert.block import NO_NORM
from keras_distill.models.mobilebert.block import SHARED_BOTTLENECK
from keras_distill.models.precision import quantized_layers

_KIND = "mobilebert"
_PREFIX = "mobilebert."
_WORDS = "embeddings.word_embeddings.weight"
# What has its own layer above the first token.
_WITH_POOLER = ("Model", "ForPreTraining", "ForSequenceClassification")


def transformers_class(model):
    """The class of `transformers` that computes what a model does.

    Args:
        model: Backbone, or task on one.

    Returns:
        str, such as `"MobileBertForSequenceClassification"`.

    Raises:
        ValueError: If there is none.
    """
    backbone = getattr(model, "backbone", model)
    kinds = {
        models.MobileBertBackbone: "Model",
        models.MobileBertTextClassifier: "ForSequenceClassification",
        models.TokenClassifier: "ForTokenClassification",
        models.MaskedLanguageModel: "ForMaskedLM",
        models.PretrainingModel: "ForPreTraining",
    }
    if not isinstance(backbone, models.MobileBertBackbone) or (
        type(model) not in kinds
    ):
        names = ", ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            "`model` must be a MobileBERT: one of "
            f"{names}, on a MobileBertBackbone. Received: "
            f"{type(model).__name__} on {type(backbone).__name__}"
        )
    _check(model, backbone)
    return f"MobileBert{kinds[type(model)]}"


def config_of(model):
    """What `transformers` has in `config.json`.

    Args:
        model: Backbone, or task on one.

    Returns:
        dict.
    """
    backbone = getattr(model, "backbone", model)
    return {
        "model_type": _KIND,
        "architectures": [transformers_class(model)],
        "vocab_size": backbone.vocabulary_size,
        "hidden_size": backbone.hidden_dim,
        "num_hidden_layers": backbone.num_layers,
        "num_attention_heads": backbone.num_heads,
        "intermediate_size": backbone.intermediate_dim,
        "hidden_act": _activation_name(backbone.activation),
        "hidden_dropout_prob": backbone.dropout,
        "attention_probs_dropout_prob": backbone.attention_dropout,
        "max_position_embeddings": backbone.max_sequence_length,
        "type_vocab_size": backbone.num_segments,
        "layer_norm_eps": backbone.layer_norm_epsilon,
        "embedding_size": backbone.embedding_dim,
        "trigram_input": backbone.trigram_input,
        "use_bottleneck": True,
        "intra_bottleneck_size": backbone.intra_dim,
        "use_bottleneck_attention": backbone.attention_inputs == BOTTLENECK,
        "key_query_shared_bottleneck": (
            backbone.attention_inputs == SHARED_BOTTLENECK
        ),
        "num_feedforward_networks": backbone.num_feedforward_networks,
        "normalization_type": NO_NORM,
        "classifier_activation": backbone.use_pooler,
        "classifier_dropout": getattr(model, "dropout", None),
        "pad_token_id": _padding(model),
    }


def weights_of(model):
    """The weights by the names that they have in `transformers`.

    Args:
        model: Backbone, or task on one.

    Returns:
        dict of name to float32 array.
    """
    backbone = getattr(model, "backbone", model)
    kind = transformers_class(model).removeprefix("MobileBert")
    prefix = "" if kind == "Model" else _PREFIX
    weights = {
        prefix + name: torch_value(variable)
        for name, variable in encoder_names(backbone, _KIND)
        if kind in _WITH_POOLER or not name.startswith("pooler.")
    }
    if backbone.trigram_input and backbone.zero_pad_embedding:
        weights[prefix + _WORDS][_padding(model)] = 0
    for name, variable in _head_names(model):
        weights[name] = torch_value(variable)
    return weights


def _head_names(model):
    if hasattr(model, "masked_lm_head"):
        yield from masked_lm_names(model.masked_lm_head, _KIND)
    if hasattr(model, "next_sentence_dense"):
        yield from next_sentence_names(model.next_sentence_dense)
    if hasattr(model, "output_dense"):
        yield from dense_weights(model.output_dense, "classifier")


def _padding(model):
    tokenizer = getattr(getattr(model, "preprocessor", None), "tokenizer", None)
    return 0 if tokenizer is None else tokenizer.pad_token_id


def _activation_name(activation):
    for name, known in ACTIVATIONS.items():
        if keras.activations.get(known) is activation:
            return name
    raise ValueError(
        "`model` has an activation that `transformers` does not have: "
        f"{activation}. It has {', '.join(ACTIVATIONS)}."
    )


def _check(model, backbone):
    """Refuses what `transformers` cannot compute."""
    wrong = None
    if backbone.normalization != NO_NORM:
        wrong = "layer normalization, which it computes with two epsilons"
    elif backbone.attention_inputs == BLOCK:
        wrong = "attention over the states between blocks, which it cannot run"
    elif (
        not backbone.trigram_input
        and backbone.embedding_dim == backbone.hidden_dim
    ):
        wrong = "words as wide as the states, which it does not project"
    elif getattr(model, "pooling", "pooler") != "pooler":
        wrong = "a head on the mean of all tokens, which it has not"
    elif getattr(model, "head", "linear") != "linear":
        wrong = "a head of TinyBERT's kind, which it has not"
    elif hasattr(model, "output_dense") and (
        model.activation is not keras.activations.linear
    ):
        wrong = "an activation above its logits, which it has not"
    elif quantized_layers(model):
        wrong = "quantized weights"
    if wrong is not None:
        raise ValueError(
            f"`model` cannot be written for `transformers`: it has {wrong}."
        )
    if hasattr(model, "masked_lm_head"):
        head = (model.activation, model.layer_norm_epsilon)
        if head != (backbone.activation, backbone.layer_norm_epsilon):
            raise ValueError(
                "`model` cannot be written for `transformers`: the head of "
                "masked words has another activation or epsilon than its "
                "encoder."
            )
