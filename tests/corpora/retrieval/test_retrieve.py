"""Texts like a task's own, found in a corpus."""

import numpy as np
import pytest

from keras_distill.corpora.retrieval import SentenceEncoder
from keras_distill.corpora.retrieval import embedding
from keras_distill.corpora.retrieval import retrieve
from keras_distill.tasks import Examples
from keras_distill.tasks import TextFiles

TASK = Examples((["good film", "bad film", "bad plot"],), labels=[1, 0, 0])


@pytest.fixture
def write_corpus(tmp_path):
    def write(texts, columns=None):
        name = "corpus.txt" if columns is None else "corpus.tsv"
        path = tmp_path / name
        path.write_text("".join(f"{text}\n" for text in texts))
        return TextFiles(path, columns=columns)

    return write


def expected_rows(task, texts, encoder, num_texts, neighbors=None):
    """The same with everything in memory, for classes of equal shares."""

    def embed(texts):
        values = encoder.encode(Examples((texts,)))
        return values.astype("float16").astype("float64")

    queries = embed(task.texts[0])
    seen = set(task.texts[0])
    found = []
    for row, vector in enumerate(embed(texts)):
        if texts[row] in seen:
            continue
        seen.add(texts[row])
        products = queries @ vector
        query = int(products.argmax())
        found.append((-products[query], row, query))
    found.sort()
    kept, per_query, per_class = [], {}, {}
    share = num_texts // (1 + max(task.labels))
    for similarity, row, query in found:
        label = task.labels[query]
        if per_class.get(label, 0) >= share:
            continue
        if neighbors and per_query.get(query, 0) >= neighbors:
            continue
        per_query[query] = per_query.get(query, 0) + 1
        per_class[label] = per_class.get(label, 0) + 1
        kept.append((row, label, -similarity))
    return kept


@pytest.mark.parametrize("neighbors", [None, 3])
@pytest.mark.parametrize("block", [7, 1000])
def test_equals_a_search_in_memory(
    write_corpus, encoder, make_texts, monkeypatch, neighbors, block
):
    monkeypatch.setattr(embedding, "BLOCK", block)
    # Words in another order are another text with an equal embedding.
    texts = make_texts(400, seed=1)
    task = Examples((make_texts(9, seed=2),), labels=[0, 1, 2] * 3)
    found = retrieve(
        task,
        write_corpus(texts),
        num_texts=30,
        neighbors=neighbors,
        encoder=encoder,
        quiet=True,
    )
    expected = expected_rows(task, texts, encoder, 30, neighbors)
    rows, labels, similarities = zip(*expected, strict=True)
    assert found.examples.ids.tolist() == list(rows)
    assert found.labels.tolist() == list(labels)
    np.testing.assert_allclose(found.similarities, similarities, rtol=1e-6)
    assert found.examples.texts == ([texts[row] for row in rows],)
    assert found.examples.labels is None
    # What the test is about did come up.
    assert len(set(texts)) < 390
    assert len(set(similarities)) < len(similarities)


def test_own_and_repeated_texts_are_left_out(write_corpus, encoder):
    corpus = write_corpus(
        [
            "Good  FILM",
            "good film dog",
            "GOOD film dog",
            "bad plot cat",
            "good film cat",
        ]
    )
    dev = Examples((["good film cat"],))
    found = retrieve(
        TASK, corpus, 10, exclude=[dev], encoder=encoder, quiet=True
    )
    assert sorted(found.examples.ids) == [1, 3]


@pytest.mark.parametrize(
    "balance, expected",
    [("equal", [6, 6]), ("examples", [8, 4]), ([1, 3], [3, 9])],
)
def test_label_balance(write_corpus, encoder, make_texts, balance, expected):
    found = retrieve(
        TASK,
        write_corpus(make_texts(300, seed=3)),
        num_texts=12,
        label_balance=balance,
        encoder=encoder,
        quiet=True,
    )
    assert np.bincount(found.labels).tolist() == expected
    assert len(found.examples) == 12
    assert (np.diff(found.similarities) <= 0).all()


def test_centroids(write_corpus, encoder):
    # Between the two bad examples, and next to one of them.
    corpus = write_corpus(["bad film plot", "bad bad film", "good good film"])
    by_mean, by_example = (
        retrieve(TASK, corpus, 2, queries=queries, encoder=encoder, quiet=True)
        for queries in ("centroids", "examples")
    )
    assert sorted(by_mean.examples.ids) == [0, 2]
    assert sorted(by_example.examples.ids) == [1, 2]


def test_without_classes(write_corpus, encoder):
    corpus = write_corpus(["dog", "good bad film", "bad bad plot"])
    for labels in (None, [0.5, 1.5, 2.5]):
        task = Examples(TASK.texts, labels=labels)
        for queries in ("examples", "centroids"):
            found = retrieve(
                task, corpus, 2, queries, encoder=encoder, quiet=True
            )
            assert found.labels is None
            assert sorted(found.examples.ids) == [1, 2]


def test_pairs(write_corpus, encoder):
    task = Examples((["good film"], ["a dog"]), labels=[0])
    corpus = write_corpus(
        ["bad\tcat", "good film dog\tno", "good film\ta dog"], columns=(0, 1)
    )
    found = retrieve(task, corpus, 1, encoder=encoder, quiet=True)
    assert found.examples.texts == (["good film dog"], ["no"])


def test_too_few_texts_are_said(write_corpus, encoder, capsys):
    corpus = write_corpus(["good good film", "good film dog", "bad bad film"])
    found = retrieve(TASK, corpus, 4, encoder=encoder)
    assert len(found.examples) == 3
    shown = capsys.readouterr().out
    assert shown.startswith("Found 1 of 2 texts of class 0; a larger corpus")
    assert shown.count("\n") == 1
    nothing = retrieve(
        TASK, write_corpus(["good film"]), 4, encoder=encoder, quiet=True
    )
    assert nothing.examples.texts == ([],)
    assert capsys.readouterr().out == ""


def test_cache(write_corpus, encoder, make_texts, tmp_path):
    corpus = write_corpus(make_texts(50, seed=4))
    found = [
        retrieve(
            TASK,
            corpus,
            10,
            encoder=encoder,
            cache_dir=tmp_path / "embeddings",
            quiet=True,
        )
        for _ in range(2)
    ]
    assert encoder.encoded == 53
    assert found[0].examples.texts == found[1].examples.texts
    np.testing.assert_array_equal(found[0].similarities, found[1].similarities)


def test_a_real_encoder(write_corpus, make_classifier, tokenizer):
    encoder = SentenceEncoder(
        make_classifier(num_layers=1).backbone, tokenizer, 16
    )
    corpus = write_corpus(["a very dull story", "the the good film"])
    task = Examples((["the good film"],))
    found = retrieve(task, corpus, 1, encoder=encoder, quiet=True)
    assert found.examples.texts == (["the the good film"],)


def test_progress(write_corpus, encoder, make_texts, monkeypatch, capsys):
    monkeypatch.setattr("keras_distill.io.progress._PATIENCE", -1.0)
    corpus = write_corpus(make_texts(30, seed=5))
    retrieve(TASK, corpus, 2, encoder=encoder)
    shown = capsys.readouterr().out
    assert "Embedding the task: 3 of 3 examples, 0:00 left" in shown
    size = f"{corpus.size:,}"
    assert f"Searching the corpus: {size} of {size} bytes" in shown


@pytest.mark.parametrize(
    "change, message",
    [
        ({"corpus": ["a"]}, "`corpus` must be keras_distill.tasks.TextFiles"),
        ({"examples": Examples(([],))}, "`examples` must hold at least one"),
        (
            {"examples": Examples((["a"], ["b"]))},
            "equally many text columns. Received: 1 and 2",
        ),
        ({"queries": "means"}, "`queries` must be one of 'examples'"),
        ({"num_texts": 0}, "`num_texts` must be an int of 1 or more"),
        ({"neighbors": 0.5}, "`neighbors` must be an int of 1 or more"),
        ({"label_balance": "even"}, "`label_balance` must be"),
    ],
)
def test_bad_arguments(write_corpus, encoder, change, message):
    arguments = {
        "examples": TASK,
        "corpus": write_corpus(["a"]),
        "num_texts": 1,
        "encoder": encoder,
        **change,
    }
    with pytest.raises(ValueError, match=message):
        retrieve(**arguments)
