"""Predicted classes of words, from those of tokens."""

import keras
import numpy as np

from keras_distill.checks.model_of import model_of
from keras_distill.data.kinds_of_examples import check_tokenized
from keras_distill.data.tokenized.predict import inputs_of


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
    model = model_of(model)
    check_tokenized(tokenized)
    tokenized.check_model(model, with_labels=False)
    # Longest first, so that memory runs out at once or not at all.
    order = np.argsort(-tokenized.lengths, kind="stable")
    tokenized = inputs_of(model, tokenized.select(order))
    predictions = [None] * len(order)
    done = 0
    for x, *_ in tokenized.iterate(batch_size):
        rows = np.arange(done, done + len(x["token_ids"]))
        # KerasHub's own `predict_on_batch` would run the preprocessor.
        logits = keras.Model.predict_on_batch(model, x)
        classes = _classes(logits, x["token_ids"].shape)
        for row, of_words in zip(
            order[rows], tokenized.to_words(rows, classes), strict=True
        ):
            predictions[row] = of_words
        done += len(rows)
    return predictions


def _classes(logits, shape):
    shape_of_logits = getattr(logits, "shape", None)
    if shape_of_logits is None or shape_of_logits[:-1] != shape:
        raise ValueError(
            "`model` must give (batch, length, classes), one prediction for "
            f"each token of {shape}. Received: {shape_of_logits}."
        )
    return np.argmax(logits, axis=-1)
