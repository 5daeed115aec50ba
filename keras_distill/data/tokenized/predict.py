"""Predictions over tokenised examples."""

import keras
import numpy as np

from keras_distill.checks.model_of import model_of
from keras_distill.data.kinds_of_examples import check_tokenized


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
    model = model_of(model)
    check_tokenized(tokenized)
    tokenized.check_model(model, with_labels=False)
    # Longest first, so that memory runs out at once or not at all.
    order = np.argsort(-tokenized.lengths, kind="stable")
    batches = inputs_of(model, tokenized.select(order)).batches(batch_size)
    # KerasHub's own `predict` would run the preprocessor.
    outputs = keras.Model.predict(model, batches, verbose=0)
    original = np.argsort(order, kind="stable")
    return keras.tree.map_structure(lambda output: output[original], outputs)


def inputs_of(model, tokenized):
    """The same examples without the inputs that a model does not read.

    RoBERTa and DistilBERT have no segments, and Keras warns of what is left.

    Args:
        model: Keras model.
        tokenized: `TokenizedExamples`.

    Returns:
        `TokenizedExamples`.
    """
    names = getattr(model, "input", None)
    return (
        tokenized.with_inputs(names) if isinstance(names, dict) else tokenized
    )
