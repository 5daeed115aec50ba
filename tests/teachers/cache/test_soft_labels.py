"""What another system says of examples, kept by their ids."""

import numpy as np
import pytest
from scipy import special

from keras_distill import tasks
from keras_distill.teachers import SoftLabels
from keras_distill.teachers import TeacherCache

ROWS = 11
TEXTS = [f"film {'very ' * n}good" for n in range(ROWS)]
PAIRS = tasks.Examples(
    (TEXTS, TEXTS[::-1]), ids=[f"{n}-{n * n}" for n in range(ROWS)]
)


@pytest.fixture(params=["mnli", "qnli", "stsb"])
def task(request):
    return tasks.get_task(request.param)


def values_of(task):
    """Probabilities of three or two classes, or scores, in PAIRS's order."""
    generator = np.random.default_rng(4)
    if task.label_names is None:
        return generator.uniform(0, 5, (ROWS, 1))
    return generator.dirichlet(np.ones(len(task.label_names)), ROWS)


def soft_labels_of(task):
    order = np.random.default_rng(6).permutation(ROWS)
    return SoftLabels(
        PAIRS.ids[order], values_of(task)[order], task.label_names
    )


def write(path, soft_labels, examples, **options):
    return TeacherCache.from_soft_labels(
        path, soft_labels, examples, shard_size=4, quiet=True, **options
    )


def test_round_trip(tmp_path, task, tokenizer):
    pairs = task.tokenize(PAIRS, tokenizer, 16)
    write(tmp_path / "cache", soft_labels_of(task), pairs, dtype="float16")
    cache = TeacherCache(tmp_path / "cache")
    assert cache.task == task.name
    assert cache.label_names == task.label_names
    assert cache.features == ("logits",)
    order = np.random.default_rng(5).permutation(ROWS)
    found = np.concatenate(
        [
            x["teacher/logits"]
            for x, *_ in cache.attach(pairs.select(order)).iterate(4)
        ]
    )
    if task.label_names is not None:
        found = special.softmax(found, axis=-1)
    np.testing.assert_allclose(found, values_of(task)[order], rtol=5e-3)
    other = SoftLabels(PAIRS.ids, values_of(task), task.label_names)
    # The same in another order goes on; what differs is another cache.
    write(tmp_path / "cache", other, pairs, dtype="float16")
    other = SoftLabels(PAIRS.ids[::-1], other.values, task.label_names)
    with pytest.raises(ValueError, match="differs in: the soft labels"):
        write(tmp_path / "cache", other, pairs, dtype="float16")


def test_ids_must_be_the_examples(tmp_path, task):
    soft_labels = soft_labels_of(task)
    first, *_, last = known = soft_labels.ids.tolist()
    for ids, message in (
        (known[:-1], f"is none for the id {last}."),
        ([*known, "99-1"], "no example with the id 99-1."),
        ([*known[:-1], first], f"{first}"),
    ):
        values = np.resize(soft_labels.values, (len(ids), task.num_outputs))
        values /= 1 if task.label_names is None else values.sum(1)[:, None]
        with pytest.raises(ValueError, match=message):
            labels = SoftLabels(ids, values, task.label_names)
            write(tmp_path / "cache", labels, PAIRS)
        assert not (tmp_path / "cache").exists()


def test_classes_are_put_in_the_order_of_the_examples(tmp_path, tokenizer):
    mnli = tasks.get_task("mnli")
    pairs = tasks.TokenizedExamples(PAIRS, tokenizer, 16)
    order = np.array([2, 0, 1])
    pairs.label_names = tuple(np.array(mnli.label_names)[order])
    cache = write(tmp_path / "cache", soft_labels_of(mnli), pairs)
    assert cache.label_names == pairs.label_names
    found = special.softmax(cache.read(PAIRS.ids)["logits"], axis=-1)
    np.testing.assert_allclose(found, values_of(mnli)[:, order], rtol=1e-5)
    cache.attach(pairs)
    pairs.label_names = ("yes", "no", "maybe")
    with pytest.raises(ValueError, match="of other names"):
        write(tmp_path / "other", soft_labels_of(mnli), pairs)


def test_raw_examples_with_numbers_that_a_file_has_as_text(tmp_path):
    examples = tasks.Examples((["a", "b", "c"],), ids=[10, 9, 8])
    soft_labels = SoftLabels(["8", "10", "9"], [[1.0], [2.0], [3.0]])
    cache = write(tmp_path / "cache", soft_labels, examples)
    assert cache.read([10, 9, 8])["logits"].ravel().tolist() == [2, 3, 1]
    with pytest.raises(ValueError, match="not by a model. Leave `teacher`"):
        TeacherCache(tmp_path / "cache", teacher="any")
