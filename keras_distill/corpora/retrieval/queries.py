"""What the texts of a corpus are compared with."""

import dataclasses

import numpy as np

from keras_distill.corpora.retrieval.embedding import embed
from keras_distill.io.progress import Progress

KINDS = ("examples", "centroids")
_TINY = 1e-12


@dataclasses.dataclass(frozen=True, eq=False)
class Queries:
    """What the texts of a corpus are compared with.

    Attributes:
        vectors: float16 array of shape `(queries, width)`, rows of length 1.
        classes: int64 array. The class of each query.
    """

    vectors: np.ndarray
    classes: np.ndarray


def classes_of(examples):
    """The class of each example; all 0 if they have none.

    Args:
        examples: `Examples`.

    Returns:
        int64 array.
    """
    labels = examples.labels
    if labels is None or labels.dtype.kind == "f":
        return np.zeros(len(examples), dtype="int64")
    return labels.astype("int64")


def make_queries(examples, kind, encoder, cache_dir, quiet):
    """Embeds a task's examples, or takes the mean of each class.

    Args:
        examples: `Examples`.
        kind: `"examples"` or `"centroids"`.
        encoder: `SentenceEncoder`.
        cache_dir: path of the folder that keeps embeddings, or `None`.
        quiet: bool. Whether to show no progress.

    Returns:
        `Queries`.
    """
    rows = zip(*examples.texts, strict=True)
    vectors = []
    title = "Embedding the task"
    with Progress(title, len(examples), quiet=quiet) as progress:
        for block, embeddings in embed(rows, encoder, cache_dir):
            vectors.append(embeddings)
            progress.advance(len(block))
    vectors = np.concatenate(vectors)
    classes = classes_of(examples)
    if kind == "examples":
        return Queries(vectors, classes)
    present = np.unique(classes)
    means = np.stack(
        [
            vectors[classes == one].mean(axis=0, dtype="float64")
            for one in present
        ]
    )
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), _TINY)
    return Queries(means.astype("float16"), present)
