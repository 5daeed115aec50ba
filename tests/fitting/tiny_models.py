"""Tiny models that carry a preprocessor."""

import functools

import keras
import keras_hub

WORDS = "good bad dull fine film plot a the".split()


def make_classifier(
    hidden_dim,
    words=WORDS,
    num_classes=2,
    sequence_length=12,
    preprocessor=True,
    **options,
):
    """A BERT of one layer whose vocabulary are these words."""
    tokenizer = _make_tokenizer(tuple(words), hidden_dim)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=hidden_dim,
        intermediate_dim=8,
        max_sequence_length=32,
        dropout=0.0,
    )
    if preprocessor:
        preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=sequence_length, **options
        )
    return keras_hub.models.BertTextClassifier(
        backbone,
        num_classes=num_classes,
        preprocessor=preprocessor or None,
        dropout=0.0,
    )


@functools.cache
def _make_tokenizer(words, hidden_dim):
    """One for all models of a width: its first use costs more than a model."""
    del hidden_dim
    return keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    )


def compile_distiller(distiller, loss=None, optimizer=None, **words):
    """Compiles for eager runs, without an update unless one is asked for."""
    distiller.compile(
        optimizer or keras.optimizers.SGD(0.0),
        loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
        **words,
    )
    return distiller
