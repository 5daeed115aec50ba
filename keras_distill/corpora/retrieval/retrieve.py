"""Finds texts like a task's own in a large corpus."""

import dataclasses
import hashlib

import numpy as np

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_int
from keras_distill.corpora.retrieval.embedding import embed
from keras_distill.corpora.retrieval.nearest import NearestPerGroup
from keras_distill.corpora.retrieval.nearest import first_in_group
from keras_distill.corpora.retrieval.nearest import nearest_queries
from keras_distill.corpora.retrieval.queries import KINDS
from keras_distill.corpora.retrieval.queries import classes_of
from keras_distill.corpora.retrieval.queries import make_queries
from keras_distill.corpora.retrieval.sentence_encoder import (
    load_sentence_encoder,
)
from keras_distill.corpora.retrieval.shares import class_counts
from keras_distill.data.examples import Examples
from keras_distill.data.readers.text_files import TextFiles
from keras_distill.io import show
from keras_distill.io.progress import Progress


@dataclasses.dataclass(frozen=True, eq=False)
class Retrieved:
    """Texts of a corpus that are like a task's, the most similar first.

    Attributes:
        examples: `Examples` without labels. Their ids are the texts' numbers
            in the corpus, from 0.
        similarities: float32 array. The cosine of each text with the query
            that is nearest to it.
        labels: int32 array. The class of that query, or `None` if the task's
            examples have no classes. A first guess: the teacher knows better.
    """

    examples: Examples
    similarities: np.ndarray
    labels: np.ndarray | None


def retrieve(
    examples,
    corpus,
    num_texts,
    queries="examples",
    label_balance="equal",
    neighbors=None,
    exclude=(),
    encoder=None,
    cache_dir=None,
    quiet=False,
):
    """Finds texts like a task's own in a large corpus, for a student to learn.

    Texts are compared by the cosine of their sentence embeddings. Each text
    of the corpus belongs to the query that is nearest to it, and to that
    query's class; of each class the most similar texts are taken, the first
    of equals. Texts of the task itself and repeated ones are left out, also
    if they differ in case and spaces only. The corpus is read once, in
    blocks: memory grows with the task and with `num_texts`, not with the
    corpus.

    The idea of SentAugment (Du et al. 2020, facebookresearch/SentAugment):
    nearest sentences of a large bank by sentence embeddings, which the
    teacher then labels.

    Args:
        examples: `Examples` of the task, with or without labels. A corpus for
            pairs must be of pairs as well.
        corpus: `TextFiles`. Where to look.
        num_texts: int. How many texts to find.
        queries: `"examples"`, where each of the task's examples is a query,
            or `"centroids"`, where the mean embedding of each class is one:
            faster, and nearer to what is typical of a class. Defaults to
            `"examples"`.
        label_balance: how the texts are divided among the classes: `"equal"`,
            `"examples"`, in proportion to the task's examples, or a sequence
            of one number per class. Without class labels all is one class.
            Defaults to `"equal"`.
        neighbors: int. The most texts for one query, so that a few examples
            with many neighbors do not take all. Defaults to `None`: no limit.
        exclude: sequence of `Examples` whose texts are left out as the task's
            own are, such as the dev split. Defaults to `()`.
        encoder: `SentenceEncoder`. Defaults to `None`, which is
            `load_sentence_encoder()`.
        cache_dir: path of a folder that keeps the embeddings, so that the
            same texts need not be embedded again by the same encoder, also
            after a run that was stopped. They take 2 bytes for each text and
            dimension. Defaults to `None`, which keeps nothing.
        quiet: bool. Whether to show nothing. Defaults to `False`.

    Returns:
        `Retrieved`, with fewer texts if the corpus or `neighbors` gave no
        more of a class, which is said in a line.

    Raises:
        ValueError: arguments that do not fit, or a damaged file of the
            corpus, with the line.
    """
    _check(examples, corpus, num_texts, queries, neighbors)
    counts = class_counts(num_texts, label_balance, classes_of(examples))
    if encoder is None:
        encoder = load_sentence_encoder()
    asked = make_queries(examples, queries, encoder, cache_dir, quiet)
    known = _fingerprints(examples, *exclude)
    # What is kept: so many of each class, or so many of each query.
    if neighbors is None:
        group_of_query, limits = asked.classes, counts
        class_of_group = np.arange(len(counts))
    else:
        group_of_query = np.arange(len(asked.classes))
        limits = np.minimum(neighbors, counts[asked.classes])
        class_of_group = asked.classes
    found = NearestPerGroup(limits)
    title = "Searching the corpus"
    with Progress(title, corpus.size, quiet=quiet, unit="bytes") as progress:
        blocks = embed(corpus.read(progress.advance), encoder, cache_dir)
        for block in _compare(blocks, asked, known):
            found.add(groups=group_of_query[block.pop("queries")], **block)
    classes = class_of_group[found.groups]
    if not quiet:
        _say_what_is_missing(counts, classes)
    return _best(found, classes, counts, examples)


def _compare(blocks, queries, known):
    """Yields the arrays of each block's new texts for `NearestPerGroup`."""
    row = 0
    for texts, embeddings in blocks:
        hashes = np.array([_fingerprint(one) for one in texts], dtype="uint64")
        new = np.flatnonzero(~np.isin(hashes, known))
        nearest, similarities = nearest_queries(
            embeddings[new], queries.vectors
        )
        yield {
            "queries": nearest,
            "similarities": similarities,
            "rows": row + new,
            "hashes": hashes[new],
            "texts": _object_array(texts)[new],
        }
        row += len(texts)


def _best(found, classes, counts, examples):
    """The texts of each class that are to be taken, as `Retrieved`."""
    chosen = first_in_group(classes, found.similarities, found.rows, counts)
    similarities, rows = found.similarities[chosen], found.rows[chosen]
    chosen = chosen[np.lexsort((rows, -similarities))]
    columns = zip(*found.texts[chosen], strict=True)
    texts = tuple(map(list, columns)) or ([],) * len(examples.texts)
    has_classes = examples.labels is not None and (
        examples.labels.dtype.kind == "i"
    )
    return Retrieved(
        Examples(texts, ids=found.rows[chosen]),
        found.similarities[chosen].astype("float32"),
        classes[chosen].astype("int32") if has_classes else None,
    )


def _say_what_is_missing(counts, classes):
    there = np.bincount(classes, minlength=len(counts))
    for index in np.flatnonzero(there < counts):
        of_class = f" of class {index}" if len(counts) > 1 else ""
        show(
            f"Found {there[index]:,} of {counts[index]:,} texts{of_class}; a "
            "larger corpus or more `neighbors` would give more"
        )


def _fingerprints(*parts):
    """Hashes of the texts of several `Examples`, as a uint64 array."""
    rows = (row for part in parts for row in zip(*part.texts, strict=True))
    return np.unique(np.fromiter(map(_fingerprint, rows), dtype="uint64"))


def _fingerprint(texts):
    """A hash of a text or a pair that does not look at case and spaces."""
    plain = "\t".join(" ".join(text.lower().split()) for text in texts)
    digest = hashlib.blake2b(plain.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _object_array(rows):
    array = np.empty(len(rows), dtype="object")
    for place, row in enumerate(rows):
        # At once, NumPy would take the tuples for another dimension.
        array[place] = row
    return array


def _check(examples, corpus, num_texts, queries, neighbors):
    if not isinstance(corpus, TextFiles):
        raise ValueError(
            "`corpus` must be keras_distill.tasks.TextFiles. "
            f"Received: {type(corpus).__name__}."
        )
    if not len(examples):
        raise ValueError("`examples` must hold at least one. Received: none.")
    if corpus.num_columns != len(examples.texts):
        raise ValueError(
            "`corpus` and `examples` must have equally many text columns. "
            f"Received: {corpus.num_columns} and {len(examples.texts)}. The "
            "corpus's are chosen by `TextFiles(columns=...)`."
        )
    check_choice("queries", queries, KINDS)
    for name, value in (("num_texts", num_texts), ("neighbors", neighbors)):
        if value is None and name == "neighbors":
            continue
        check_int(name, value, minimum=1)
