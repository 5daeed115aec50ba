"""The loop that predicts over tokenised examples, and what is read of it."""

import functools

import keras
import numpy as np

from keras_distill.checks.model_of import model_of
from keras_distill.data.kinds_of_examples import check_tokenized
from keras_distill.features import select_inputs


def predict_logits(model, tokenized, batch_size=32):
    """Predicts all rows, those of equal length together.

    Rows are sorted by length, so that next to nothing is padding, and the
    outputs are put back in the rows' own order.

    Args:
        model: Keras model over `token_ids`, `padding_mask` and, as BERT,
            `segment_ids`. A preprocessor that it carries is not run: the
            rows are tokenised already.
        tokenized: `TokenizedExamples`. The rows.
        batch_size: int. Rows per batch. Defaults to `32`.

    Returns:
        The model's outputs as NumPy arrays, one row per example, in the
        structure in which the model returns them.

    Example:

    ```python
    import keras_distill

    task, splits = keras_distill.tasks.load("film_reviews")
    classifier = keras_distill.teachers.load_teacher(
        "minilm", task.num_outputs, sequence_length=64
    ).classifier
    tokenized = keras_distill.tasks.TokenizedExamples(
        splits["dev"].take(4),
        classifier.preprocessor,
        sequence_length=64,
    )
    logits = keras_distill.tasks.predict_logits(classifier, tokenized)
    ```
    """
    found = list(_predict_by_length(model, tokenized, batch_size))
    if not found:
        raise ValueError(
            "`tokenized` must hold at least one example. Received: none."
        )
    rows, outputs = zip(*found, strict=True)
    original = np.argsort(np.concatenate(rows))
    return keras.tree.map_structure(
        lambda *parts: np.concatenate(parts)[original], *outputs
    )


def predict_tags(model, tokenized, batch_size=32):
    """Predicts the class of each word, at its first piece.

    Sentences of equal length go together, so that next to nothing is padding.

    Args:
        model: Keras model over `token_ids`, `padding_mask` and, as BERT,
            `segment_ids`, whose output is `(batch, length, classes)`, such as
            `keras_distill.models.TokenClassifier`. A preprocessor that it
            carries is not run: the words are tokenised already.
        tokenized: `TokenizedTags`. The sentences.
        batch_size: int. Sentences per batch. Defaults to `32`.

    Returns:
        List of int32 arrays, one per sentence: the class index of each word,
        `-1` for words that were cut off.

    Example:

    ```python
    import keras_hub
    import keras_distill

    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "anna", "sings", "oslo"],
        lowercase=True,
    )
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=8, num_layers=1, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=16,
    )
    tagger = keras_distill.models.TokenClassifier(backbone, num_classes=7)
    examples = keras_distill.tasks.TaggedExamples([["Anna", "sings"], ["Oslo"]])
    tokenized = keras_distill.tasks.TokenizedTags(
        examples, tokenizer, sequence_length=16
    )
    print(keras_distill.tasks.predict_tags(tagger, tokenized))
    ```
    """
    return _predict_words(
        model, tokenized, batch_size, lambda logits: np.argmax(logits, axis=-1)
    )


def predict_word_logits(model, tokenized, batch_size=32):
    """Predicts the logits of each word, at its first piece.

    Args:
        model: As of `predict_tags`.
        tokenized: As there.
        batch_size: As there.

    Returns:
        List of float32 arrays `(words, classes)`, one per sentence, NaN for
        words that were cut off.
    """
    return _predict_words(model, tokenized, batch_size, lambda logits: logits)


def _predict_words(model, tokenized, batch_size, read):
    """What is read of a model's logits, for each word of each sentence."""
    predictions = [None] * len(tokenized)
    for rows, logits in _predict_by_length(model, tokenized, batch_size):
        shape = getattr(logits, "shape", ())
        if len(shape) != 3 or shape[1] < tokenized.lengths[rows].max():
            raise ValueError(
                "`model` must give (batch, length, classes), one prediction "
                f"for each token. Received: {shape or type(logits).__name__} "
                f"for {len(rows)} rows of up to "
                f"{tokenized.lengths[rows].max()} tokens."
            )
        for row, found in zip(
            rows, tokenized.to_words(rows, read(logits)), strict=True
        ):
            predictions[row] = found
    return predictions


def predict_batches(model, tokenized, batch_size, role="model"):
    """Yields a model's outputs for one batch after the other, in order.

    A batch is as long as its longest row, or as the only length that the
    model takes.

    Args:
        model: Keras model over `token_ids` and others. A preprocessor that it
            carries is not run.
        tokenized: `TokenizedExamples`.
        batch_size: int. Rows per batch.
        role: str. What messages call the model. Defaults to `"model"`.

    Yields:
        The outputs as NumPy arrays, in the structure in which the model
        returns them.
    """
    run = None
    fixed_length = _fixed_length(model)
    # Labels say nothing here, nor which rows they hold together.
    tokenized = tokenized.with_labels(None)
    for x, *_ in tokenized.iterate(batch_size, fixed_length=fixed_length):
        x = select_inputs(model, x, role)
        if run is None:
            run = compiled(model, x, fixed_length)
        yield keras.tree.map_structure(keras.ops.convert_to_numpy, run(x))


def _predict_by_length(model, tokenized, batch_size):
    """Yields row numbers and the outputs for them, the longest rows first.

    So next to nothing is padding, and memory runs out at once or not at all.
    """
    model = model_of(model)
    check_tokenized(tokenized)
    tokenized.check_model(model, with_labels=False)
    order = np.argsort(-tokenized.lengths, kind="stable")
    outputs = predict_batches(model, tokenized.select(order), batch_size)
    for number, found in enumerate(outputs):
        first = number * batch_size
        yield order[first : first + batch_size], found


def compiled(model, x, fixed_length=None):
    """A model as a function of batches like `x`, of any number and length.

    Keras's own `predict_on_batch` would run the batch on every device of a
    strategy, and compile anew for each length where XLA is on; KerasHub's
    would run the preprocessor.
    """
    if keras.backend.backend() != "tensorflow" or model.run_eagerly:
        return functools.partial(keras.Model.predict_on_batch, model)
    import tensorflow as tf

    # Kept with Keras's own function, which Keras drops when the model is
    # compiled anew or quantized.
    model.make_predict_function()
    kept = model.predict_function
    if not hasattr(kept, "of_any_length"):
        kept.of_any_length = tf.function(
            lambda x: model(x, training=False), autograph=False
        )
    kept.of_any_length.get_concrete_function(
        keras.tree.map_structure(
            lambda array: tf.TensorSpec(
                (None, fixed_length, *[None] * array.ndim)[: array.ndim],
                array.dtype,
            ),
            x,
        )
    )
    return kept.of_any_length


def _fixed_length(model):
    """The only length that a model takes, or `None`."""
    try:
        inputs = keras.tree.flatten(model.input)
    except (AttributeError, ValueError):
        return None
    for tensor in inputs:
        if len(tensor.shape) == 2 and tensor.shape[1] is not None:
            return tensor.shape[1]
    return None
