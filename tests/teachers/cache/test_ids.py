"""Examples are found by their ids, whatever these are, and by no others."""

import numpy as np
import pytest

from keras_distill.tasks import Examples
from keras_distill.tasks import TokenizedExamples
from keras_distill.teachers import TeacherCache
from keras_distill.teachers.cache import example_index

NAMES = ["q/10", "q/9", "Q/9", "\u0436", "a b", "x" * 300, "7"]


@pytest.fixture
def rows():
    texts = [f"good film {'very ' * n}" for n in range(len(NAMES))]
    return Examples((texts,), ids=NAMES)


@pytest.fixture
def named(rows, tokenizer):
    return TokenizedExamples(rows, tokenizer, 16)


def test_strings(write, named, teacher):
    cache = write(examples=named, features=["logits", "layer.hidden"])
    expected = cache.read(NAMES)
    order = np.random.default_rng(0).permutation(len(NAMES))
    again = TeacherCache(cache.path, teacher)
    found = again.read([NAMES[row] for row in order])["logits"]
    np.testing.assert_array_equal(found, expected["logits"][order])
    shuffled = named.select(order)
    x, *_ = next(again.attach(shuffled).iterate(len(order)))
    np.testing.assert_array_equal(x["teacher/logits"], found)
    for unknown in ("q/1", "X" * 300, "\ud800", ""):
        with pytest.raises(ValueError, match="not that with the id"):
            again.read(["q/9", unknown])


def test_7_and_its_name_are_one(write, named):
    cache = write(examples=named)
    np.testing.assert_array_equal(
        cache.read([7])["logits"], cache.read(["7"])["logits"]
    )


def test_ids_of_one_hash(write, named, monkeypatch, tmp_path):
    other = write(examples=named, path=tmp_path / "other")
    expected = other.read(NAMES)["logits"]
    monkeypatch.setattr(example_index, "_hash", lambda name: len(name) % 2)
    cache = write(examples=named)
    np.testing.assert_array_equal(cache.read(NAMES)["logits"], expected)
    with pytest.raises(ValueError, match="not that with the id q"):
        cache.read(["q"])


def test_repeated_strings_are_refused(write, named):
    with pytest.raises(ValueError, match="the id a b more than once"):
        write(examples=named.select([0, 4, 1, 4]))


def test_raw_examples_are_read_by_the_teachers_own_tokenizer(
    write, rows, make_classifier, teacher, tmp_path
):
    bert = make_classifier(num_layers=1, hidden_dim=8)
    features = ["logits", "hidden_states.1"]
    cache = write(examples=rows, teacher=bert, features=features)
    named = TokenizedExamples(rows, bert.preprocessor)
    # The same as with what it makes of them.
    write(examples=named, teacher=bert, features=features)
    cache.attach(named)
    with pytest.raises(ValueError, match="must be tokenised.*batches"):
        cache.attach(rows)
    with pytest.raises(ValueError, match="must be tokenised.*no preprocessor"):
        write(examples=rows, path=tmp_path / "other")


def test_names_of_classes(write, named, tmp_path):
    assert write(examples=named).label_names is None
    named.label_names = ("no", "yes")
    cache = write(examples=named, path=tmp_path / "known")
    assert TeacherCache(cache.path).label_names == ("no", "yes")
    named.label_names = ("yes", "no")
    with pytest.raises(ValueError, match="yes, no: in another order"):
        cache.attach(named)
    with pytest.raises(ValueError, match=r"label_names: \['no', 'yes'\], "):
        write(examples=named, path=cache.path)
    with pytest.raises(ValueError, match="in another order"):
        write(examples=named, label_names=["no", "yes"])
    named.label_names = None
    with pytest.raises(ValueError, match="must name the 2 logits of"):
        write(examples=named, label_names=["no", "yes", "maybe"])


def test_of_whom_it_tells(write, teacher):
    cache = write()
    assert cache.members == (teacher.name,)
    assert set(cache.versions) == {
        "keras_distill",
        "keras",
        "keras_hub",
        "backend",
    }
    assert all(cache.versions.values())
