"""Embeddings block by block, kept on disk."""

import numpy as np
import pytest

from keras_distill.corpora.retrieval import embedding
from keras_distill.corpora.retrieval.embedding import embed


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(embedding, "BLOCK", 4)


@pytest.fixture
def rows(make_texts):
    return [(text,) for text in make_texts(10, seed=0)]


def run(rows, encoder, cache_dir=None):
    blocks = list(embed(iter(rows), encoder, cache_dir))
    texts = [row for block, _ in blocks for row in block]
    return texts, np.concatenate([values for _, values in blocks])


def test_blocks(rows, encoder):
    sizes = [len(block) for block, _ in embed(rows, encoder)]
    assert sizes == [4, 4, 2]
    texts, embeddings = run(rows, encoder)
    assert texts == rows
    assert embeddings.dtype == np.float16
    assert embeddings.shape == (10, 6)
    assert list(embed([], encoder)) == []


def test_kept_on_disk(rows, encoder, tmp_path):
    _, expected = run(rows, encoder)
    encoder.encoded = 0
    for _ in range(2):
        _, found = run(rows, encoder, tmp_path)
        np.testing.assert_array_equal(found, expected)
    assert encoder.encoded == 10
    assert len(list(tmp_path.iterdir())) == 3


def test_texts_at_the_end_leave_the_other_blocks(rows, encoder, tmp_path):
    run(rows[:8], encoder, tmp_path)
    run(rows, encoder, tmp_path)
    assert encoder.encoded == 10


def test_other_texts_and_another_encoder(rows, encoder, tmp_path):
    run(rows, encoder, tmp_path)
    changed = [*rows[:5], ("another film",), *rows[6:]]
    run(changed, encoder, tmp_path)
    assert encoder.encoded == 14
    encoder.fingerprint = "another"
    run(rows, encoder, tmp_path)
    assert encoder.encoded == 24


def test_a_damaged_block_is_made_anew(rows, encoder, tmp_path, capsys):
    _, expected = run(rows, encoder, tmp_path)
    path = sorted(tmp_path.iterdir())[0]
    path.write_bytes(path.read_bytes()[:-1])
    _, found = run(rows, encoder, tmp_path)
    np.testing.assert_array_equal(found, expected)
    assert encoder.encoded in (12, 14)
    assert "is damaged" in capsys.readouterr().err
