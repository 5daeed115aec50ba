"""What of a student is trained in one stage after the other, top down."""

import itertools

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.model_of import model_of
from keras_distill.students.parts import EMBEDDINGS
from keras_distill.students.parts import ENCODER
from keras_distill.students.parts import HEAD
from keras_distill.students.parts import layer_part

PROJECTION = "projection"


def unfreezing(student, how="layer", include_head=True):
    """What of a student is trained in one stage after the other, top down.

    For a list of stages, of which each begins with moments of its own;
    `keras_distill.callbacks.GradualUnfreezing` does it within one training.

    A BERT-like student has `"head"` (its last dense layer, or
    the whole stochastic answer), `"projection"`
    (the pooler, if its outputs come from one), `"layer.N"` down to
    `"layer.1"` and `"embeddings"`; a recurrent one `"head"`, `"projection"`,
    `"bilstm"` and `"embeddings"`.

    Args:
        student: KerasHub task.
        how: str. `"layer"`: one part after the other; `"encoder"`: all below
            the projection at once, as `"encoder"`; `"none"`: everything at
            once, as `"all"`. Defaults to `"layer"`.
        include_head: bool. Whether it begins with the head, or below it, for
            losses that the head stands above. Defaults to `True`.

    Returns:
        list of pairs of a part's name and what `keras_distill.stages.Stage`
        takes as `trainable`: that part and all above it, `None` for all.

    Example:

    ```python
    from keras_distill import students
    from keras_distill import teachers

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    student = students.create_student(teacher, num_layers=2)
    print([name for name, _ in students.unfreezing(student)])
    ```
    """
    check_choice("how", how, ("layer", "encoder", "none"))
    student = model_of(student)
    if how == "none":
        return [("all", None)]
    parts = _parts(student)[0 if include_head else 1 :]
    joined = itertools.accumulate([part] for _, part in parts)
    steps = [(name, one) for (name, _), one in zip(parts, joined, strict=True)]
    last = steps[-1]
    if how == "encoder":
        steps = [step for step in steps if step[0] in (HEAD, PROJECTION)]
        last = (ENCODER, last[1])
        steps.append(last)
    if include_head:
        steps[-1] = (last[0], None)
    return steps


def _parts(student):
    """Pairs of name and part, top first."""
    backbone = student.backbone
    head = getattr(student, "answer_head", None) or student.output_dense
    found = [(HEAD, head)]
    encoder = getattr(backbone, "encoder", None)
    if encoder is not None:
        if encoder.projection is not None:
            found.append((PROJECTION, encoder.projection))
        found.append(("bilstm", encoder.bilstm))
        return [*found, (EMBEDDINGS, backbone.token_embedding)]
    pooler = _pooler(student)
    if pooler is not None:
        found.append((PROJECTION, pooler))
    layers = map(layer_part, range(backbone.num_layers, 0, -1))
    return [*found, *((name, name) for name in layers), (EMBEDDINGS,) * 2]


def _pooler(student):
    """The dense layer between the encoder and the last one, or `None`."""
    # The backbone may have one, which is not used.
    idle = getattr(student, "_idle", ())
    for owner in (student, student.backbone):
        pooler = getattr(owner, "pooled_dense", None)
        if pooler is not None and id(pooler.kernel) not in idle:
            return pooler
    return None
