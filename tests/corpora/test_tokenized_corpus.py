"""A corpus as token ids on disk."""

import numpy as np
import pytest

from keras_distill import corpora
from keras_distill.corpora import tokenized_corpus


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(tokenized_corpus, "_CHUNK", 7)


def _arrays(corpus):
    return [
        getattr(corpus, name).tolist()
        for name in ("pieces", "sentences", "documents")
    ]


def test_pieces_of_sentences_of_documents(tmp_path, word_tokenizer):
    # A zero-width sentence leaves nothing, and so a document goes.
    text = "w0 w1.\nw2\n\n\u200d\n\nw3 w4 w5\n\u200d\nw6\n"
    (tmp_path / "a.txt").write_text(text, "utf-8")
    corpus = corpora.tokenize_corpus(tmp_path, word_tokenizer, tmp_path)
    ids = [word_tokenizer.token_to_id(x) for x in "w0 w1 . w2".split()]
    assert corpus.pieces.tolist()[:4] == ids
    assert corpus.largest == word_tokenizer.token_to_id("w6")
    assert corpus.sentences.tolist() == [0, 3, 4, 7, 8]
    assert corpus.documents.tolist() == [0, 2, 4]
    assert str(corpus) == "2 documents, 4 sentences, 8 pieces"


def test_the_same_with_any_number_of_workers(
    tmp_path, corpus_folder, word_tokenizer, small_chunks
):
    one, three = (
        corpora.tokenize_corpus(
            corpus_folder,
            word_tokenizer,
            tmp_path / str(workers),
            None,
            workers=workers,
        )
        for workers in (1, 3)
    )
    assert _arrays(one) == _arrays(three)
    assert one.fingerprint == three.fingerprint
    documents = list(corpora.read_documents(corpus_folder))
    assert np.diff(one.documents).tolist() == list(map(len, documents))


def test_kept_found_again_and_made_anew_when_damaged(
    tmp_path, word_tokenizer, monkeypatch, capsys
):
    path = tmp_path / "a.txt"
    path.write_text("w0. w1.\n")
    cache = tmp_path / "cache"

    def tokenize():
        return corpora.tokenize_corpus(path, word_tokenizer, cache)

    first = _arrays(tokenize())
    with monkeypatch.context() as patch:
        patch.setattr(tokenized_corpus, "_write", None)
        assert _arrays(tokenize()) == first
    pieces = next(cache.glob("*/pieces.npy"))
    pieces.write_bytes(pieces.read_bytes()[:-1] + b"x")
    assert _arrays(tokenize()) == first
    assert "is damaged (pieces) and is made anew" in capsys.readouterr().err
    # Another text beside it.
    path.write_text("w0. w2.\n")
    assert _arrays(tokenize()) != first
    assert not list(cache.glob(".new-*"))


def test_bad_text_is_told_by_file_and_line_and_leaves_nothing(
    tmp_path, word_tokenizer
):
    cache = tmp_path / "cache"
    path = tmp_path / "a.txt"
    path.write_bytes(b"w0\n\ncaf\xe9\n")
    with pytest.raises(ValueError, match=r"a\.txt:3: byte 4 of the line"):
        corpora.tokenize_corpus(path, word_tokenizer, cache)
    path.write_bytes("\u200d\n".encode())
    with pytest.raises(ValueError, match="no text in .* leaves nothing"):
        corpora.tokenize_corpus(path, word_tokenizer, cache)
    assert not [x for x in cache.iterdir() if x.is_dir()]
    with pytest.raises(ValueError, match="`workers` must be an int of 1"):
        corpora.tokenize_corpus(path, word_tokenizer, cache, workers=0)
