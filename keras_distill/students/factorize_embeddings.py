"""A narrow student's embeddings start as the teacher's, by truncated SVD."""

import dataclasses

import keras
import numpy as np

from keras_distill.students import backbones
from keras_distill.vocabulary import check_same_vocabulary


@dataclasses.dataclass(frozen=True, eq=False)
class FactorizedEmbeddings:
    """What `factorize_embeddings` kept of the teacher's embeddings.

    Attributes:
        basis: Array of shape `(teacher width, student width)`, float64. Its
            columns are orthonormal, the strongest direction first.
        mean: Array of shape `(teacher width,)`, float64. The word that was
            subtracted from every row; zeros without centering.
        energy_kept: float in `[0, 1]`. Share of the squared singular values
            of the teacher's word table that the student's table holds.
    """

    basis: np.ndarray
    mean: np.ndarray
    energy_kept: float

    def __str__(self):
        teacher_width, student_width = self.basis.shape
        return (
            f"embeddings {teacher_width} -> {student_width} by truncated SVD, "
            f"{self.energy_kept:.1%} of the squared singular values kept"
        )


def factorize_embeddings(teacher, student, *, center=False):
    """Fills a student's embedding tables from the teacher's wider ones.

    With `E = U S V^T` the teacher's word table, of shape `(words, d)`, and `k`
    the student's width, the student's words become `E V_k = U_k S_k`. No other
    table of rank `k` is closer to `E`: `E V_k V_k^T` is its best approximation
    in the Frobenius norm. Positions and segments are projected by the same
    `V_k`, so that their sum with the words keeps its meaning. The student's
    layer normalization is left as it is.

    A singular vector is defined up to its sign; the entry of greatest
    magnitude of each column of `V_k` is made positive, so that two runs agree.

    Source: XtremeDistil (Mukherjee and Awadallah 2020,
    https://arxiv.org/abs/2004.05686) for the SVD; the code of
    XtremeDistilTransformers subtracts the mean word first (`center=True`,
    which is principal component analysis) and leaves positions and segments
    alone.

    Args:
        teacher: A KerasHub task or backbone, the source.
        student: A KerasHub task or backbone, at most as wide as the teacher,
            changed in place. When it takes shorter sequences than the teacher,
            it gets the teacher's first positions.
        center: bool. Whether to subtract the mean word before the SVD.
            Defaults to `False`.

    Returns:
        `FactorizedEmbeddings`, which prints as one line.

    Raises:
        ValueError: If the student is wider than the teacher, or has another
            vocabulary, other segments or more positions; if the teacher's
            tables are quantized or not finite. Nothing is changed then.

    Example:

    ```python
    from keras_distill import students
    from keras_distill import teachers

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    student = students.create_student(teacher, "bert_3l_132d")
    print(students.factorize_embeddings(teacher, student))
    # embeddings 384 -> 132 by truncated SVD, ... of the squared ...
    ```
    """
    sources = _tables(backbones.backbone_of(teacher, "teacher"))
    targets = _tables(backbones.backbone_of(student, "student"))
    _check_tables(sources, targets)
    check_same_vocabulary(teacher, student)

    tables = {
        # The student may have fewer positions than the teacher.
        name: _read(name, variable)[: targets[name].shape[0]]
        for name, variable in sources.items()
    }
    width = targets["words"].shape[1]
    mean = np.zeros(tables["words"].shape[1])
    if center:
        mean = tables["words"].mean(axis=0)
        tables["words"] = tables["words"] - mean
    basis, energy_kept = _strongest_directions(tables["words"], width)
    for name, table in tables.items():
        targets[name].assign(table @ basis)
    return FactorizedEmbeddings(basis, mean, energy_kept)


def _tables(backbone):
    layers = backbones.embedding_layers(backbone)
    for name, layer in layers.items():
        if layer.quantization_mode is not None:
            raise ValueError(
                f"The table of {name} of {backbone.name} is quantized to "
                f"{layer.quantization_mode}. Pass the model before "
                "quantization."
            )
    variables = {
        name: layer.embeddings
        for name, layer in layers.items()
        if name != "positions"
    }
    variables["positions"] = layers["positions"].position_embeddings
    return variables


def _check_tables(sources, targets):
    if sources.keys() != targets.keys():
        raise ValueError(
            "`student` must have the teacher's kinds of embeddings. Received: "
            f"{', '.join(sources)} in the teacher, {', '.join(targets)} in "
            "the student."
        )
    for name, source in sources.items():
        rows = source.shape[0]
        received = targets[name].shape[0]
        shorter = name == "positions" and received < rows
        if received != rows and not shorter:
            raise ValueError(
                f"`student` must have as many {name} as the teacher. Received: "
                f"{received} {name} in the student and {rows} in the teacher. "
                "Build the student with `create_student(teacher)`."
            )
    words, width = sources["words"].shape
    received = targets["words"].shape[1]
    if received > min(words, width):
        raise ValueError(
            "`student` must be at most as wide as the teacher, and as its "
            f"vocabulary is large. Received: a student of width {received}, a "
            f"teacher of width {width} and {words} words. Use a smaller "
            "hidden_dim."
        )


def _read(name, variable):
    table = keras.ops.convert_to_numpy(variable).astype("float64")
    if not np.isfinite(table).all():
        raise ValueError(
            f"The teacher's table of {name} holds NaN or infinity. Load the "
            "teacher's weights again."
        )
    return table


def _strongest_directions(table, width):
    """Returns the `width` first right singular vectors and their energy."""
    # With table = Q R, R has the table's singular values and right vectors;
    # the left ones, one row for each word, are not needed.
    triangle = np.linalg.qr(table, mode="r")
    _, values, rows = np.linalg.svd(triangle, full_matrices=False)
    basis = rows[:width].T
    strongest = np.abs(basis).argmax(axis=0)
    basis = basis * np.sign(basis[strongest, np.arange(width)])
    energy = values**2
    return basis, float(energy[:width].sum() / energy.sum())
