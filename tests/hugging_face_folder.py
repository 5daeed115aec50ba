"""Writes tiny BERTs as `transformers` saves them, without it."""

import json

import keras
import numpy as np
import safetensors.numpy


def write_folder(path, classifier, architecture, prefix="bert.", **config):
    """Writes a BERT classifier of Keras as a folder of `transformers`.

    Args:
        path: `pathlib.Path` of the folder.
        classifier: Text or token classifier on a BERT backbone, with a
            preprocessor.
        architecture: str. The class of `transformers` it is said to be of.
        prefix: str. What the names of the encoder's weights start with.
        **config: Entries of `config.json` besides the sizes.

    Returns:
        dict of the weights that were written, by name.
    """
    path.mkdir()
    backbone = classifier.backbone
    weights = {
        prefix + name: keras.ops.convert_to_numpy(value)
        for name, value in encoder_weights(backbone)
    }
    if architecture.endswith("ForTokenClassification"):
        weights = {k: v for k, v in weights.items() if "pooler" not in k}
    if "Classification" in architecture:
        dense = classifier.output_dense
        weights |= _dense("classifier", dense, backbone.hidden_dim)
    safetensors.numpy.save_file(
        {k: np.ascontiguousarray(v) for k, v in weights.items()},
        path / "model.safetensors",
    )
    sizes = dict(
        model_type="bert",
        architectures=[architecture],
        vocab_size=backbone.vocabulary_size,
        hidden_size=backbone.hidden_dim,
        num_hidden_layers=backbone.num_layers,
        num_attention_heads=backbone.num_heads,
        intermediate_size=backbone.intermediate_dim,
        max_position_embeddings=backbone.max_sequence_length,
        type_vocab_size=backbone.num_segments,
    )
    (path / "config.json").write_text(json.dumps(sizes | config))
    words = classifier.preprocessor.tokenizer.get_vocabulary()
    (path / "vocab.txt").write_text("\n".join(words))
    (path / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    return weights


def encoder_weights(backbone):
    """The names that the weights have in `transformers`."""
    width = backbone.hidden_dim
    yield (
        "embeddings.word_embeddings.weight",
        backbone.token_embedding.embeddings,
    )
    yield (
        "embeddings.position_embeddings.weight",
        backbone.position_embedding.position_embeddings,
    )
    yield (
        "embeddings.token_type_embeddings.weight",
        backbone.segment_embedding.embeddings,
    )
    yield from _norm("embeddings.LayerNorm", backbone.embeddings_layer_norm)
    for number, layer in enumerate(backbone.transformer_layers):
        attention = layer._self_attention_layer
        prefix = f"encoder.layer.{number}"
        for name, dense in (
            ("attention.self.query", attention.query_dense),
            ("attention.self.key", attention.key_dense),
            ("attention.self.value", attention.value_dense),
            ("attention.output.dense", attention.output_dense),
            ("intermediate.dense", layer._feedforward_intermediate_dense),
            ("output.dense", layer._feedforward_output_dense),
        ):
            yield from _dense(f"{prefix}.{name}", dense, width)
        yield from _norm(
            f"{prefix}.attention.output.LayerNorm",
            layer._self_attention_layer_norm,
        )
        yield from _norm(
            f"{prefix}.output.LayerNorm", layer._feedforward_layer_norm
        )
    yield from _dense("pooler.dense", backbone.pooled_dense, width)


def _dense(name, dense, width):
    # Heads stand on axes of their own in Keras; `transformers` joins them.
    kernel = keras.ops.convert_to_numpy(dense.kernel)
    if kernel.ndim == 3:
        kernel = kernel.reshape(width, width)
    yield f"{name}.weight", kernel.T.copy()
    yield f"{name}.bias", keras.ops.convert_to_numpy(dense.bias).reshape(-1)


def _norm(name, norm):
    yield f"{name}.weight", norm.gamma
    yield f"{name}.bias", norm.beta
