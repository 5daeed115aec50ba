"""A student's layers start as copies of the teacher's."""

import keras
import keras_hub

from keras_distill import layer_map as layer_maps
from keras_distill.checks.model_of import model_of
from keras_distill.packing import check_same_vocabulary
from keras_distill.students import backbones


def copy_layers(
    teacher,
    student,
    layer_map,
    *,
    include_pooler=True,
    include_head=False,
):
    """Copies the weights of teacher layers into student layers.

    Copied layers must have equal shapes. All shapes are compared before the
    first weight is written, so a call that raises has changed nothing.

    Args:
        teacher: A KerasHub task or backbone, the source.
        student: A KerasHub task or backbone, changed in place.
        layer_map: Callable `(num_student_layers, num_teacher_layers) -> pairs`
            such as `keras_distill.layer_map.uniform`, or an iterable of
            `(student layer, teacher layer)` pairs counted from 1. The pair
            `(0, 0)` stands for the embeddings: their tables, their layer
            normalization and, where both models have one of the same shape,
            the projection behind them (ELECTRA).
        include_pooler: bool. Whether to copy the dense layer on the first
            token, where both backbones have one. Defaults to `True`.
        include_head: bool. Whether to copy all weights of a task that are not
            its backbone's. Defaults to `False`.

    Returns:
        Tuple of the pairs that were copied.

    Raises:
        ValueError: If a layer does not exist, is written twice, or has other
            shapes in the teacher; if the embeddings are paired with a
            transformer layer; if the vocabularies differ while the embeddings
            are copied; if `include_head=True` and a model has no head.

    Example:

    ```python
    from keras_distill import layer_map
    from keras_distill import students
    from keras_distill import teachers

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    student = students.create_student(teacher, num_layers=3)
    students.copy_layers(teacher, student, layer_map.uniform)
    ```
    """
    teacher, student = model_of(teacher), model_of(student)
    source = backbones.backbone_of(teacher, "teacher")
    target = backbones.backbone_of(student, "student")
    pairs = _resolve_pairs(layer_map, target, source)
    if (0, 0) in pairs:
        check_same_vocabulary(teacher, student)

    copies = []
    for student_layer, teacher_layer in pairs:
        if (student_layer, teacher_layer) == (0, 0):
            copies += _match_embeddings(source, target)
        else:
            copies += _match(
                _transformer_layer(source, teacher_layer).weights,
                _transformer_layer(target, student_layer).weights,
                f"student layer {student_layer} <- teacher layer "
                f"{teacher_layer}",
            )
    if include_pooler:
        copies += _match_pooler(source, target)
    if include_head:
        copies += _match(
            _head_weights(teacher, "teacher"),
            _head_weights(student, "student"),
            "head",
        )
    # Teacher and student may be the same model, so read all before writing.
    values = [keras.ops.convert_to_numpy(weight) for weight, _ in copies]
    for (_, weight), value in zip(copies, values, strict=True):
        weight.assign(value)
    return pairs


def _resolve_pairs(layer_map, student, teacher):
    if not callable(layer_map):
        layer_map = layer_maps.explicit(layer_map)
    pairs = tuple(layer_map(student.num_layers, teacher.num_layers))
    for student_layer, teacher_layer in pairs:
        if (student_layer == 0) != (teacher_layer == 0):
            raise ValueError(
                "`layer_map` may pair the embeddings (layer 0) with the "
                "embeddings only. Received: "
                f"({student_layer}, {teacher_layer}). Layers count from 1."
            )
    student_layers = [student_layer for student_layer, _ in pairs]
    twice = sorted(
        layer
        for layer in set(student_layers)
        if student_layers.count(layer) > 1
    )
    if twice:
        raise ValueError(
            "`layer_map` must name each student layer at most once to copy "
            f"into it. Received student layer {twice[0]} more than once: "
            f"{list(pairs)}"
        )
    return pairs


def _transformer_layer(backbone, number):
    layer = backbone.transformer_layers[number - 1]
    if not isinstance(layer, keras.layers.Layer):
        raise ValueError(
            f"{type(backbone).__name__} shares its weights between layers, so "
            'they cannot be copied one by one. Use layers="random".'
        )
    return layer


def _match_embeddings(teacher, student):
    source = backbones.embedding_layers(teacher)
    target = backbones.embedding_layers(student)
    if "positions" not in source:
        raise ValueError(
            f"{type(teacher).__name__} has no table of positions, so its "
            "embeddings cannot be copied. Take over the words alone with "
            "`factorize_embeddings`."
        )
    if source.keys() != target.keys():
        raise ValueError(
            "`student` must have the teacher's kinds of embeddings. Received: "
            f"{', '.join(source)} in the teacher, {', '.join(target)} in the "
            "student."
        )
    copies = []
    for name in source:
        copies += _match(source[name].weights, target[name].weights, name)
    copies += _match(
        teacher.embeddings_layer_norm.weights,
        student.embeddings_layer_norm.weights,
        "layer normalization of the embeddings",
    )
    source_projection = getattr(teacher, "embeddings_projection", None)
    target_projection = getattr(student, "embeddings_projection", None)
    if source_projection is not None and target_projection is not None:
        if source_projection.units == target_projection.units:
            copies += _match(
                source_projection.weights,
                target_projection.weights,
                "projection of the embeddings",
            )
    source_projection = backbones.word_projection(teacher)
    target_projection = backbones.word_projection(student)
    if (source_projection is None) != (target_projection is None):
        raise ValueError(
            "Only one of `teacher` and `student` has a factorized table of "
            "words, so the embeddings cannot be copied. Start the student with "
            "`factorize_embeddings`."
        )
    if source_projection is not None:
        copies += _match(
            source_projection.weights,
            target_projection.weights,
            "projection of the words",
        )
    return copies


def _match_pooler(teacher, student):
    source = getattr(teacher, "pooled_dense", None)
    target = getattr(student, "pooled_dense", None)
    if source is None or target is None:
        return []
    return _match(source.weights, target.weights, "pooler")


def _head_weights(model, argument):
    if not isinstance(model, keras_hub.models.Task):
        raise ValueError(
            f"`include_head=True` needs a `{argument}` with a head. Received: "
            f"{type(model).__name__}. Pass the classifier, not its backbone."
        )
    inside = {id(weight) for weight in model.backbone.weights}
    return [weight for weight in model.weights if id(weight) not in inside]


def _match(sources, targets, what):
    """Pairs the weights of two layers, or says in which shape they differ."""
    if len(sources) != len(targets):
        raise ValueError(
            f"Cannot copy {what}: {len(sources)} weights in the teacher, "
            f"{len(targets)} in the student. Both must be of the same kind, "
            "without quantization or LoRA."
        )
    for source, target in zip(sources, targets, strict=True):
        if source.shape != target.shape:
            raise ValueError(
                f"Cannot copy {what}: `{target.path}` has shape "
                f"{tuple(source.shape)} in the teacher and "
                f"{tuple(target.shape)} in the student. Build the student with "
                "the teacher's hidden_dim, num_heads and intermediate_dim, or "
                "start it with `factorize_embeddings`."
            )
    return list(zip(sources, targets, strict=True))
