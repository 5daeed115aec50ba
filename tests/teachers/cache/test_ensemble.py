"""Members are asked one after the other, each in its own tokens."""

import keras
import keras_hub
import numpy as np
import pytest
from scipy import special

from keras_distill.tasks import Examples
from keras_distill.tasks import TokenizedExamples
from keras_distill.teachers import TeacherCache
from keras_distill.teachers import TeacherEnsemble
from tests.conftest import WORDS

TEXTS = [f"Good film {'very ' * n}dull" for n in range(9)]
ROWS = Examples((TEXTS,), ids=[f"r{n}" for n in range(len(TEXTS))])


@pytest.fixture(scope="module")
def ensemble(make_classifier):
    """Two classifiers of other sizes, vocabularies and lengths."""
    cased = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Good", *WORDS[::-1]]
    )
    members = [
        make_classifier(num_layers=1, hidden_dim=8),
        make_classifier(
            num_layers=1, hidden_dim=4, tokenizer=cased, sequence_length=9
        ),
    ]
    generator = np.random.default_rng(1)
    for weight in [weight for one in members for weight in one.weights]:
        weight.assign(generator.normal(0.0, 0.5, weight.shape))
    return TeacherEnsemble(members, label_names=["no", "yes"])


@pytest.fixture(scope="module")
def models(ensemble):
    return [member.load() for member in ensemble.members]


@pytest.fixture(scope="module")
def cache(ensemble, tmp_path_factory):
    return write(tmp_path_factory.mktemp("of") / "cache", ensemble, ROWS)


def write(path, ensemble, examples, **options):
    return TeacherCache.write(
        path, ensemble, examples, shard_size=4, quiet=True, **options
    )


def test_probabilities_are_the_members_mean(cache, ensemble, models, answers):
    of_members = [answers(model, TEXTS) for model in models]
    expected = np.mean(special.softmax(of_members, axis=-1), axis=0)
    found = cache.read(ROWS.ids)["logits"]
    np.testing.assert_allclose(
        special.softmax(found, axis=-1), expected, rtol=1e-4
    )
    assert cache.members == tuple(model.name for model in models)
    assert cache.label_names == ("no", "yes")
    cache.check_teacher(ensemble)


def test_what_each_said_is_kept_so_that_none_runs_again(
    cache, ensemble, models, answers, monkeypatch
):
    own = TeacherCache(cache.path / "member-2", models[1])
    np.testing.assert_allclose(
        own.read(ROWS.ids)["logits"], answers(models[1], TEXTS), rtol=1e-4
    )
    path = cache.path / "00001.safetensors"
    data = path.read_bytes()
    path.unlink()
    monkeypatch.setattr(keras.Model, "__call__", None)
    write(cache.path, ensemble, ROWS)
    assert path.read_bytes() == data


def test_students_of_any_tokens_learn_from_it(cache, tokenizer):
    for length in (5, 16):
        student = TokenizedExamples(ROWS, tokenizer, length)
        x, *_ = next(cache.attach(student).iterate(len(ROWS)))
        np.testing.assert_array_equal(
            x["teacher/logits"], cache.read(ROWS.ids)["logits"]
        )


def test_other_members_are_another_teacher(cache, ensemble, models):
    with pytest.raises(ValueError, match="members: 2, 1"):
        write(cache.path, models[0], ROWS)
    with pytest.raises(ValueError, match="of 2 members .* one of 1"):
        cache.check_teacher(models[0])
    weight = models[1].weights[0]
    before = np.array(keras.ops.convert_to_numpy(weight))
    weight.assign(before + 1)
    with pytest.raises(ValueError, match="in: member 2's weights"):
        write(cache.path, ensemble, ROWS)
    with pytest.raises(ValueError, match=f"weights of '{models[1].name}'"):
        cache.check_teacher(ensemble)
    weight.assign(before)


def test_it_has_logits_alone(ensemble, tmp_path):
    with pytest.raises(ValueError, match="has no feature 'hidden_states.1'"):
        write(tmp_path, ensemble, ROWS, features="hidden_states.1")


def test_ids_of_one_tokenizer_are_not_for_another(
    ensemble, tokenizer, make_teacher, tmp_path
):
    rows = TokenizedExamples(ROWS, tokenizer, 16)
    with pytest.raises(ValueError, match="tokenizer of member 2, .* raw"):
        write(tmp_path, ensemble, rows)
    with pytest.raises(ValueError, match="where a teacher has no preprocessor"):
        write(tmp_path, TeacherEnsemble([make_teacher()]), ROWS)


def test_a_member_of_another_order_of_classes(tmp_path, make_teacher, examples):
    members = [make_teacher(), make_teacher()]
    members[0].label_names = ("no", "yes")
    members[1].label_names = ("yes", "no")
    examples.label_names = ("no", "yes")
    cache = write(tmp_path / "cache", TeacherEnsemble(members), examples)
    assert cache.label_names == ("no", "yes")
    ordered, permuted = (
        TeacherCache(cache.path / f"member-{n}") for n in (1, 2)
    )
    assert permuted.label_names == ("yes", "no")
    expected = np.mean(
        [
            special.softmax(ordered.read(examples.ids)["logits"], -1),
            special.softmax(permuted.read(examples.ids)["logits"], -1)[:, ::-1],
        ],
        axis=0,
    )
    found = cache.attach(examples).select([3, 1])
    x, *_ = next(found.iterate(2))
    np.testing.assert_allclose(
        special.softmax(x["teacher/logits"], -1), expected[[3, 1]], rtol=1e-4
    )
    examples.label_names = ("yes", "no")
    with pytest.raises(ValueError, match="in another order"):
        write(tmp_path / "other", TeacherEnsemble(members), examples)


def test_tags_are_put_together_token_by_token(tmp_path, examples, randomize):
    def tagger(seed):
        tokens = keras.Input((None,), name="token_ids", dtype="int32")
        tags = keras.layers.Embedding(40, 5)(tokens)
        return randomize(keras.Model({"token_ids": tokens}, tags), seed)

    ensemble = TeacherEnsemble([tagger(0), tagger(1)])
    cache = write(tmp_path / "cache", ensemble, examples)
    found = cache.read(examples.ids)["logits"]
    own = [
        TeacherCache(cache.path / f"member-{n}").read(examples.ids)["logits"]
        for n in (1, 2)
    ]
    expected = np.mean(special.softmax(own, axis=-1), axis=0)
    is_token = np.arange(found.shape[1]) < examples.lengths[:, None]
    np.testing.assert_allclose(
        special.softmax(found, axis=-1)[is_token],
        expected[is_token],
        rtol=1e-4,
    )
    with pytest.raises(ValueError, match="must be tokenised.*token by token"):
        write(tmp_path / "other", ensemble, ROWS)
