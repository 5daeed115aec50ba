"""What another system says of examples, kept by their ids."""

import dataclasses

import numpy as np
import pytest
from scipy import special

from keras_distill import tasks
from keras_distill.teachers import TeacherCache

ROWS = 11
# Classes by name of MNLI, QNLI; STS-B has scores.
KINDS = {
    "mnli": ("entailment", "neutral", "contradiction"),
    "qnli": ("entailment", "not_entailment"),
    "stsb": None,
}


@dataclasses.dataclass
class Labels:
    """What `SoftLabels` gives."""

    ids: object
    values: np.ndarray
    label_names: tuple | None = None

    def logits(self):
        if self.label_names is None:
            return self.values
        return np.log(self.values)


@pytest.fixture
def pairs(tokenizer):
    texts = [f"film {'very ' * n}good" for n in range(ROWS)]
    ids = [f"{n}-{n * n}" for n in range(ROWS)]
    examples = tasks.Examples((texts, texts[::-1]), ids=ids)
    return tasks.TokenizedExamples(examples, tokenizer, 16)


@pytest.fixture
def label(pairs):
    """Soft labels of a task, in an order of their own."""

    def make(kind, names=None):
        generator = np.random.default_rng(4)
        if KINDS[kind] is None:
            values = generator.uniform(0, 5, (ROWS, 1))
        else:
            values = generator.dirichlet(np.ones(len(KINDS[kind])), ROWS)
        order = generator.permutation(ROWS)
        return Labels(
            pairs.ids[order], values[order], names or KINDS[kind]
        ), values

    return make


def write(path, soft_labels, examples, **options):
    return TeacherCache.from_soft_labels(
        path, soft_labels, examples, shard_size=4, quiet=True, **options
    )


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(tmp_path, pairs, label, kind):
    soft_labels, values = label(kind)
    write(tmp_path / kind, soft_labels, pairs)
    cache = TeacherCache(tmp_path / kind)
    assert cache.label_names == KINDS[kind]
    assert cache.features == ("logits",)
    order = np.random.default_rng(5).permutation(ROWS)
    shuffled = pairs.select(order)
    seen = 0
    for x, *_ in cache.attach(shuffled).iterate(4):
        found = x["teacher/logits"]
        wanted = values[order][seen : seen + len(found)]
        if KINDS[kind] is not None:
            found = special.softmax(found, axis=-1)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        seen += len(found)
    assert seen == ROWS
    # The same again goes on; others are another cache.
    write(tmp_path / kind, soft_labels, pairs)
    soft_labels.values = soft_labels.values[::-1]
    with pytest.raises(ValueError, match="differs in: the soft labels"):
        write(tmp_path / kind, soft_labels, pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_must_be_the_examples(tmp_path, pairs, label, kind):
    soft_labels, _ = label(kind)
    first, *_, last = known = soft_labels.ids.tolist()
    for ids, message in (
        (known[:-1], f"is none for the id {last}."),
        ([*known[:-1], first], f"Received: the id {first} in rows 0 and 10"),
        ([*known, "99-1"], "no example with the id 99-1."),
    ):
        values = np.resize(soft_labels.values, (len(ids), 2))
        changed = Labels(ids, values, KINDS[kind])
        with pytest.raises(ValueError, match=message):
            write(tmp_path / "cache", changed, pairs)
        assert not (tmp_path / "cache").exists()


def test_classes_are_put_in_the_order_of_the_examples(tmp_path, pairs, label):
    soft_labels, values = label("mnli")
    pairs.label_names = ("neutral", "contradiction", "entailment")
    cache = write(tmp_path / "cache", soft_labels, pairs)
    assert cache.label_names == pairs.label_names
    found = special.softmax(cache.read(pairs.ids)["logits"], axis=-1)
    np.testing.assert_allclose(found, values[:, [1, 2, 0]], rtol=1e-5)
    cache.attach(pairs)
    pairs.label_names = ("yes", "no", "maybe")
    with pytest.raises(ValueError, match="of other names"):
        write(tmp_path / "other", soft_labels, pairs)


def test_raw_examples_with_numbers_that_a_file_has_as_text(tmp_path):
    examples = tasks.Examples((["a", "b", "c"],), ids=[10, 9, 8])
    scores = np.array([[1.0], [2.0], [3.0]])
    soft_labels = Labels(["8", "10", "9"], scores)
    cache = write(tmp_path / "cache", soft_labels, examples)
    assert cache.read([10, 9, 8])["logits"].ravel().tolist() == [2, 3, 1]
    with pytest.raises(ValueError, match="not by a model. Leave `teacher`"):
        TeacherCache(tmp_path / "cache", teacher="any")
