"""A classifier as two steps: raw texts to ids, ids to outputs."""

import keras


def make_text_pipeline(model, num_texts):
    """Splits a KerasHub classifier into tokeniser and model.

    Args:
        model: a KerasHub text classifier with a preprocessor.
        num_texts: int. Texts per example: 1, or 2 for sentence pairs.

    Returns:
        Object with `texts(columns)`, `tokenize(texts)` and
        `forward(features)`, which are called one on the other's result, and
        `compiles_each_length`: whether the first call for a length is slow.

    Example:

    ```python
    from keras_distill import teachers
    from keras_distill.evaluation.text_pipeline import make_text_pipeline

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    pipeline = make_text_pipeline(teacher, num_texts=1)
    features = pipeline.tokenize(pipeline.texts((["Good."],)))
    logits = pipeline.forward(features)
    ```
    """
    if keras.backend.backend() == "tensorflow":
        from keras_distill.evaluation.graph_pipeline import GraphPipeline

        return GraphPipeline(model, num_texts)
    from keras_distill.evaluation.array_pipeline import ArrayPipeline

    return ArrayPipeline(model, num_texts)
