"""A corpus as token ids on disk: pieces in sentences in documents."""

import dataclasses
import functools
import os
import pathlib
import shutil
import sys
import tempfile

import keras
import keras_hub
import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.corpora.documents import open_source
from keras_distill.io.file_lock import file_lock
from keras_distill.io.file_lock import remove_lock
from keras_distill.io.growing_array import GrowingArray
from keras_distill.io.hashes import file_hash
from keras_distill.io.hashes import json_hash
from keras_distill.io.json_file import read_json
from keras_distill.io.json_file import write_json
from keras_distill.io.progress import Progress
from keras_distill.io.saving import UNFINISHED
from keras_distill.io.saving import flush_to_disk
from keras_distill.io.saving import local_path
from keras_distill.io.saving import make_folder
from keras_distill.packing import tokenizer_fingerprint
from keras_distill.packing import tokenizer_of
from keras_distill.packing.layout import layout_of
from keras_distill.packing.tokenization import tokenize_stream

# Counts up when the same text gives other numbers.
_FORMAT = 1
_MANIFEST = "manifest.json"
_ARRAYS = ("pieces", "sentences", "documents")
# Sentences that are tokenised at once.
_CHUNK = 2048


@dataclasses.dataclass(frozen=True, eq=False)
class TokenizedCorpus:
    """A corpus as token ids: pieces in sentences in documents.

    The arrays stay on disk; what is looked at is read.

    Attributes:
        pieces: integer array of all token ids, without special tokens.
        sentences: int64 array. Where each sentence begins among the pieces,
            and where the last one ends.
        documents: int64 array. Where each document begins among the
            sentences, and where the last one ends.
        largest: int. The largest token id.
        tokenizer: KerasHub tokenizer.
        layout: `keras_distill.packing.Layout` of the model's rows.
        fingerprint: str. Tells the corpus from others.
    """

    pieces: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray
    largest: int
    tokenizer: object
    layout: object
    fingerprint: str

    def __str__(self):
        return (
            f"{len(self.documents) - 1:,} documents, "
            f"{len(self.sentences) - 1:,} sentences, {len(self.pieces):,} "
            "pieces"
        )


def tokenize_corpus(
    path,
    preprocessor,
    cache_dir,
    encoding=None,
    data_dir=None,
    workers=None,
    hash_of=file_hash,
    quiet=True,
):
    """Tokenises a corpus of plain text once, and keeps it on disk.

    The text is streamed: memory does not grow with it. The same text,
    tokenizer and versions are found again below `cache_dir`, which several
    runs and processes may share; what is damaged there is made anew.

    Args:
        path: As `read_documents` takes it.
        preprocessor: The model's preprocessor, or a KerasHub tokenizer.
        cache_dir: Path of a folder.
        encoding: Optional str, as `read_documents` takes it.
        data_dir: Optional path, as `read_documents` takes it.
        workers: Optional int. How many chunks of text are tokenised at the
            same time. What comes out is the same whatever it is. Defaults to
            `None`: as many as suit the machine.
        hash_of: function of a file's path that gives the hash of its
            content. Defaults to reading it.
        quiet: bool. Whether to show no progress. Defaults to `True`.

    Returns:
        `TokenizedCorpus`.

    Raises:
        ValueError: What `read_documents` raises, or a tokenizer that cannot
            be told from others or leaves nothing of the text.

    Example:

    ```python
    import pathlib

    import keras_hub
    from keras_distill import corpora

    pathlib.Path("wiki.txt").write_text("Art it is. It is.\\n\\nTea\\n")
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "is", "tea", "."],
        lowercase=True,
    )
    corpus = corpora.tokenize_corpus("wiki.txt", tokenizer, "cache")
    print(corpus)  # 2 documents, 3 sentences, 8 pieces
    ```
    """
    check_int("workers", workers, minimum=1, optional=True)
    source = open_source(path, encoding, data_dir)
    tokenizer = tokenizer_of(preprocessor)
    of_tokenizer = tokenizer_fingerprint(tokenizer)
    if of_tokenizer is None:
        raise ValueError(
            "`preprocessor` must have a tokenizer that shows its vocabulary, "
            f"as KerasHub's do. Received: {type(tokenizer).__name__}"
        )
    key = json_hash(
        [
            _FORMAT,
            type(source).__name__,
            source.identity(lambda file: hash_of(file)),
            of_tokenizer,
            keras_hub.__version__,
            # TensorFlow's tokenizer knows other Unicode tables than Python's.
            keras.backend.backend() == "tensorflow",
        ]
    )
    folder = local_path(cache_dir)
    make_folder(folder)
    place = folder / key
    lock_file = folder / f"{key}.lock"
    with file_lock(lock_file):
        corpus = _open(place)
        if corpus is None:
            with Progress(
                "Tokenising the corpus", source.total, 0, source.unit, quiet
            ) as progress:
                fill = functools.partial(
                    _write, source, path, tokenizer, workers, progress
                )
                _make_folder_of(place, fill)
            corpus = _open(place)
        # Whoever takes the lock later finds the folder.
        remove_lock(lock_file)
    return TokenizedCorpus(
        **corpus,
        tokenizer=tokenizer,
        layout=layout_of(preprocessor),
        fingerprint=key,
    )


def _make_folder_of(place, fill):
    """Fills a folder that is there whole or not at all."""
    with tempfile.TemporaryDirectory(
        prefix=UNFINISHED, dir=place.parent
    ) as scratch:
        fresh = pathlib.Path(scratch) / "fresh"
        fresh.mkdir()
        fill(fresh)
        shutil.rmtree(place, ignore_errors=True)
        os.rename(fresh, place)
        flush_to_disk(place.parent)


def _write(source, path, tokenizer, workers, progress, folder):
    """Tokenises all documents of a source into a folder."""
    # How many sentences each document of a chunk has: chunks are read ahead.
    counts = []
    is_small = tokenizer.vocabulary_size() <= 2**16
    largest = 0
    with (
        GrowingArray(folder / "pieces.npy", _dtype(is_small)) as pieces,
        GrowingArray(folder / "sentences.npy", "int64") as sentences,
        GrowingArray(folder / "documents.npy", "int64") as documents,
    ):
        num_pieces = num_sentences = done = 0
        chunks = _chunks(source.documents(), counts)
        for rows in tokenize_stream(chunks, tokenizer, workers):
            pieces.append(rows.values)
            largest = max(largest, int(rows.values.max(initial=0)))
            # Of some sentences, and of all of some documents, the tokenizer
            # leaves nothing.
            kept = np.cumsum(np.concatenate([[0], rows.lengths > 0]))
            places = np.concatenate([[0], np.cumsum(counts.pop(0))])
            starts = kept[places[:-1]]
            documents.append(num_sentences + starts[starts < kept[places[1:]]])
            lengths = rows.lengths[rows.lengths > 0]
            sentences.append(num_pieces + np.cumsum(lengths) - lengths)
            num_pieces += len(rows.values)
            num_sentences += len(lengths)
            progress.advance(source.done - done)
            done = source.done
        sentences.append([num_pieces])
        documents.append([num_sentences])
    if not num_pieces:
        raise ValueError(
            f"There is no text in {path}: its lines are empty, or the "
            "tokenizer leaves nothing of them."
        )
    files = {name: file_hash(folder / f"{name}.npy") for name in _ARRAYS}
    write_json(folder / _MANIFEST, {"largest": largest, "files": files})


def _dtype(is_small):
    return "uint16" if is_small else "int32"


def _chunks(documents, counts):
    """Lists of sentences of whole documents; `counts` gets their numbers."""
    chunk, numbers = [], []
    for document in documents:
        chunk += document
        numbers.append(len(document))
        if len(chunk) >= _CHUNK:
            counts.append(numbers)
            yield chunk
            chunk, numbers = [], []
    if chunk:
        counts.append(numbers)
        yield chunk


def _open(folder):
    """The arrays of a folder and the largest id, or `None`."""
    if not folder.is_dir():
        return None
    try:
        manifest = read_json(folder / _MANIFEST)
        damaged = [
            name
            for name in _ARRAYS
            if file_hash(folder / f"{name}.npy") != manifest["files"][name]
        ]
    except (OSError, LookupError, TypeError, ValueError):
        damaged = [_MANIFEST]
    if damaged:
        print(
            f"{folder} is damaged ({', '.join(damaged)}) and is made anew",
            file=sys.stderr,
        )
        return None
    return {
        **{
            name: np.load(folder / f"{name}.npy", mmap_mode="r")
            for name in _ARRAYS
        },
        "largest": manifest["largest"],
    }
