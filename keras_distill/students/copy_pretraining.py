"""A student of pre-training starts with all of its teacher but the blocks."""

import keras

from keras_distill import models
from keras_distill.checks.model_of import model_of
from keras_distill.packing import check_same_vocabulary
from keras_distill.students import parts


def copy_pretraining(teacher, student):
    """Copies all weights outside of the blocks from teacher to student.

    What a MobileBERT takes over from its inverted-bottleneck teacher before
    knowledge transfer: the tables of words, positions and segments, the
    projection of the embeddings, the head of masked words and that of the next
    sentence. Blocks are left as they are. So is what has no counterpart in the
    teacher: a pooler that only one of them has, and a normalization of another
    kind (`NoNorm` where the teacher's is a layer normalization), as in the
    released code.

    All shapes are compared before the first weight is written, so a call that
    raises has changed nothing.

    Args:
        teacher: `keras_distill.models.PretrainingModel`, the source.
        student: `keras_distill.models.PretrainingModel` with as many words,
            and as wide outside of its blocks; changed in place.

    Returns:
        Tuple of str, the paths of the weights that were copied.

    Raises:
        ValueError: If a model is of another class, vocabularies differ, or a
            weight has another shape in the teacher. All that do are named.

    Example:

    ```python
    from keras_distill import models
    from keras_distill import students

    def pretraining(name, **sizes):
        backbone = models.MobileBertBackbone.from_preset(
            name, load_weights=False, vocabulary_size=100, num_layers=1, **sizes
        )
        return models.PretrainingModel(backbone)

    teacher = pretraining("ib_bert_large", intermediate_dim=64)
    student = pretraining("mobilebert")
    print(students.copy_pretraining(teacher, student))
    ```

    Reference:
        - MobileBERT, https://arxiv.org/abs/2004.02984; released code:
          `run_pretraining.py`.
    """
    teacher, student = model_of(teacher), model_of(student)
    for argument, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, models.PretrainingModel):
            raise ValueError(
                f"`{argument}` must be a `models.PretrainingModel`, with both "
                f"heads. Received: {type(model).__name__}. To start another "
                "model's embeddings use `copy_layers(teacher, student, "
                "[(0, 0)])`."
            )
    check_same_vocabulary(teacher, student)
    sources = _outside_of_blocks(teacher)
    pairs = [
        (sources[place], target)
        for place, target in _outside_of_blocks(student).items()
        if place in sources
    ]
    differing = [
        f"`{target.path}`: {tuple(source.shape)} and {tuple(target.shape)}"
        for source, target in pairs
        if source.shape != target.shape
    ]
    if differing:
        raise ValueError(
            "`student` must have the teacher's widths outside of its blocks. "
            "Received other shapes in the teacher and in the student of "
            f"{'; '.join(differing)}."
        )
    for source, target in pairs:
        target.assign(keras.ops.convert_to_numpy(source))
    return tuple(target.path for _, target in pairs)


def _outside_of_blocks(model):
    """The weights that no block has, by path and kind of normalization."""
    plain = {
        id(weight)
        for layer in model._flatten_layers()
        if isinstance(layer, models.NoNorm)
        for weight in layer.weights
    }
    found = parts.parts_of(model)
    return {
        (weight.path, id(weight) in plain): weight
        for name in (parts.EMBEDDINGS, parts.HEAD)
        for weight in found[name]
    }
