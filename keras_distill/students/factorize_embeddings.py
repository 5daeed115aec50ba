"""A narrow student's embeddings start as the teacher's, by truncated SVD."""

import dataclasses

import keras
import numpy as np
import threadpoolctl
from sklearn.utils.extmath import randomized_svd

from keras_distill.checks.arguments import SEED
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_number
from keras_distill.checks.model_of import model_of
from keras_distill.io import show
from keras_distill.packing import check_same_vocabulary
from keras_distill.students import backbones

_METHODS = ("auto", "exact", "randomized")
# Entries of a table beyond which "auto" is randomized. BERT's 30,522 x 768 lie
# below, multilingual BERT's 119,547 x 768 above.
_LARGE_TABLE = 2**25


@dataclasses.dataclass(frozen=True, eq=False)
class FactorizedEmbeddings:
    """What `factorize_embeddings` kept of the teacher's embeddings.

    Attributes:
        basis: Array of shape `(teacher width, width of the student's words)`,
            float64. Its columns are orthonormal, the strongest direction
            first.
        mean: Array of shape `(teacher width,)`, float64. The word that was
            subtracted from every row; zeros without centering.
        energy_kept: float in `[0, 1]`. Share of the squared singular values
            of the teacher's word table that the student's table holds; 1 for
            a table without any, of zeros or of one word again and again.
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


# With several threads the last bits depend on how many there are, and a run
# that goes on where there are others would have another start.
@threadpoolctl.threadpool_limits.wrap(limits=1, user_api="blas")
def factorize_embeddings(
    teacher,
    student,
    *,
    center=False,
    include_positions=True,
    trainable=True,
    method="auto",
    seed=0,
    quiet=False,
):
    """Fills a student's embedding tables from the teacher's wider ones.

    With `E = U S V^T` the teacher's word table, of shape `(words, d)`, and `k`
    the width of the student's table, the student's words become
    `E V_k = U_k S_k`. No other table of rank `k` is closer to `E`:
    `E V_k V_k^T` is its best approximation in the Frobenius norm. Positions
    and segments are projected by the same `V_k`, so that their sum with the
    words keeps its meaning: the mean word that `center=True` subtracts goes
    into the positions, as `mean V_k` (into the segments where there are no
    positions). The student's layer normalization is left as it is.

    A student whose words are kept factorized
    (`create_student(teacher, embedding_dim=k)`: words of width `k`, then a
    dense layer to the width `h` of the hidden states) gets its dense layer as
    well:

    - `h = d`: `V_k^T`, and with `center=True` the mean word for a bias, so
      that a word comes out as its row of the best approximation; positions,
      segments and layer normalization are copied.
    - `h < d`: the same turned into the `h` strongest directions, `V_k^T V_h`;
      positions and segments are projected by `V_h`. It is the start that a
      table of width `h` would have, cut to rank `k`.

    A singular vector is defined up to its sign; the entry of greatest
    magnitude of each column of `V_k` is made positive, so that two runs agree.
    The energy kept is printed.

    Source: XtremeDistil (Mukherjee and Awadallah 2020,
    https://arxiv.org/abs/2004.05686) for the SVD; the code of
    XtremeDistilTransformers subtracts the mean word first (`center=True`,
    which is principal component analysis) and drops it, leaves positions and
    segments alone (`include_positions=False`) and can freeze the words
    (`trainable=False`).

    Args:
        teacher: A KerasHub task or backbone, the source.
        student: A KerasHub task or backbone, at most as wide as the teacher,
            changed in place. When it takes shorter sequences than the teacher,
            it gets the teacher's first positions.
        center: bool. Whether to subtract the mean word before the SVD.
            Defaults to `False`.
        include_positions: bool. Whether the student's positions and segments
            are the teacher's too; where it has none, there is nothing to do.
            Where words are all that is taken over, their mean is lost with
            `center=True`, unless the student keeps them factorized. Defaults
            to `True`.
        trainable: bool. Whether the student's table of words goes on
            training; otherwise it is frozen. (Students of
            `keras_distill.models` come back from a file with the choice. A
            KerasHub backbone keeps the values but not the choice: freeze its
            `token_embedding` again before you train it on.) Defaults to
            `True`.
        method: str. `"exact"`: QR and SVD in float64. `"randomized"`:
            scikit-learn's `randomized_svd` in float32, which needs a fraction
            of the memory; the weakest of the directions it finds may be mixed
            with such as are hardly weaker. `"auto"`: exact up to 33 million
            entries, such as BERT's 30,522 x 768. Defaults to `"auto"`.
        seed: int. Seed of `"randomized"`. Defaults to `0`.
        quiet: bool. Whether to print nothing. Defaults to `False`.

    Returns:
        `FactorizedEmbeddings`, which prints as one line.

    Raises:
        ValueError: If the student is wider than the teacher, or has another
            vocabulary, tables that the teacher lacks, other segments or more
            positions; if the teacher's tables are quantized or not finite.
            Nothing is changed then.

    Example:

    ```python
    from keras_distill import students
    from keras_distill import teachers

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    student = students.create_student(teacher, "bert_3l_192d")
    students.factorize_embeddings(teacher, student)
    ```
    """
    check_choice("method", method, _METHODS)
    check_number("seed", seed, SEED)
    teacher, student = model_of(teacher), model_of(student)
    source = backbones.backbone_of(teacher, "teacher")
    target = backbones.backbone_of(student, "student")
    if backbones.word_projection(source) is not None:
        raise ValueError(
            "The teacher's words are factorized already. Copy them into a "
            "student of the same widths: `copy_layers(teacher, student, "
            "[(0, 0)])`."
        )
    targets = _tables(target, include_positions)
    sources = _tables(source, include_positions)
    projection = backbones.word_projection(target)
    _check_tables(sources, targets, projection)
    check_same_vocabulary(teacher, student)

    words = _read("words", sources["words"], method)
    others = {
        # A student of shorter sequences has fewer positions than the teacher.
        name: _read(name, sources[name], "exact")[: targets[name].shape[0]]
        for name in targets
        if name != "words"
    }
    mean = np.zeros(words.shape[1])
    # What is left of equal words that are kept in float32.
    rounding = np.finfo("float32").eps ** 2 * _sum_of_squares(words)
    if center:
        mean = words.mean(axis=0, dtype="float64")
        words -= mean.astype(words.dtype)
    rank = targets["words"].shape[1]
    frame_width = rank if projection is None else projection.units
    is_teachers_frame = projection is not None and frame_width == words.shape[1]
    num_directions = rank if is_teachers_frame else max(rank, frame_width)
    directions, energies, total = _strongest_directions(
        words, num_directions, seed
    )
    basis, frame = directions[:, :rank], directions[:, :frame_width]
    if is_teachers_frame:
        frame = np.eye(frame_width)

    targets["words"].assign(words @ basis.astype(words.dtype))
    if projection is None and others:
        # Every token has one position: the sum has the mean word again.
        others[next(iter(others))] += mean
    for name, table in others.items():
        targets[name].assign(table @ frame)
    if projection is not None:
        projection.kernel.assign(basis.T @ frame)
        projection.bias.assign(mean @ frame)
    if is_teachers_frame and include_positions:
        normalization = source.embeddings_layer_norm.get_weights()
        target.embeddings_layer_norm.set_weights(normalization)
    backbones.embedding_layers(target)["words"].trainable = trainable
    energy_kept = 1.0
    if total > rounding:
        energy_kept = min(1.0, float(energies[:rank].sum() / total))
    result = FactorizedEmbeddings(basis, mean, energy_kept)
    if not quiet:
        show(result)
    return result


def _tables(backbone, include_positions):
    layers = backbones.embedding_layers(backbone)
    if not include_positions:
        layers = {"words": layers["words"]}
    for name, layer in layers.items():
        if layer.quantization_mode is not None:
            raise ValueError(
                f"The table of {name} of {backbone.name} is quantized to "
                f"{layer.quantization_mode}. Pass the model before "
                "quantization."
            )
    tables = backbones.embedding_tables(backbone)
    return {name: tables[name] for name in layers}


def _check_tables(sources, targets, projection):
    if not targets.keys() <= sources.keys():
        raise ValueError(
            "`student` must have no other kinds of embeddings than the "
            f"teacher. Received: {', '.join(sources)} in the teacher, "
            f"{', '.join(targets)} in the student."
        )
    for name, target in targets.items():
        rows = sources[name].shape[0]
        received = target.shape[0]
        shorter = name == "positions" and received < rows
        if received != rows and not shorter:
            raise ValueError(
                f"`student` must have as many {name} as the teacher. Received: "
                f"{received} {name} in the student and {rows} in the teacher. "
                "Build the student with `create_student(teacher)`."
            )
    words, width = sources["words"].shape
    for name in targets:
        if sources[name].shape[1] != width:
            raise ValueError(
                f"The teacher's {name} are {sources[name].shape[1]} wide and "
                f"its words {width}, so the words' basis does not project "
                "them. Pass `include_positions=False`."
            )
    received = targets["words"].shape[1]
    if projection is not None:
        received = max(received, projection.units)
    if received > min(words, width):
        raise ValueError(
            "`student` must be at most as wide as the teacher, and as its "
            f"vocabulary is large. Received: a student of width {received}, a "
            f"teacher of width {width} and {words} words. Use a smaller "
            "hidden_dim."
        )


def _read(name, variable, method):
    """A copy of a table: float32 if it is to be randomized, else float64."""
    if method == "auto":
        entries = variable.shape[0] * variable.shape[1]
        method = "randomized" if entries > _LARGE_TABLE else "exact"
    dtype = "float32" if method == "randomized" else "float64"
    table = np.array(keras.ops.convert_to_numpy(variable), dtype)
    if not np.isfinite(table).all():
        raise ValueError(
            f"The teacher's table of {name} holds NaN or infinity. Load the "
            "teacher's weights again."
        )
    return table


def _strongest_directions(table, width, seed):
    """The first right singular vectors, and how much each one holds.

    Returns:
        Tuple of the vectors, float64 `(d, width)`, one in each column; their
        squared singular values, float64 `(width,)`; and the sum of all.
    """
    if table.dtype == "float32":
        _, values, rows = randomized_svd(
            table, width, flip_sign=False, random_state=seed
        )
        energies = values.astype("float64") ** 2
        total = _sum_of_squares(table)
    else:
        # With table = Q R, R has the table's singular values and right
        # vectors; the left ones, one row for each word, are not needed.
        triangle = np.linalg.qr(table, mode="r")
        _, values, rows = np.linalg.svd(triangle, full_matrices=False)
        energies = values**2
        total = energies.sum()
    directions = rows[:width].T.astype("float64")
    strongest = np.abs(directions).argmax(axis=0)
    directions *= np.sign(directions[strongest, np.arange(width)])
    return directions, energies[:width], total


def _sum_of_squares(table):
    return np.einsum("ij,ij->", table, table, dtype="float64")
