"""Several teachers as one: in raw texts, in a Distiller, and refused."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_distill import Distiller
from keras_distill import export
from keras_distill import losses
from keras_distill import models
from keras_distill import tasks
from keras_distill import teachers
from tests.teachers.ensembles.conftest import TEXTS
from tests.teachers.ensembles.conftest import make_member
from tests.teachers.ensembles.conftest import softmax

LABELS = ("entailment", "neutral", "contradiction")
TASK = tasks.Task("nli", ("text",), LABELS, ("accuracy",), 16)


def logits_of(model):
    tokenized = TASK.tokenize(tasks.Examples((TEXTS,)), model.preprocessor)
    return tasks.predict_logits(model, tokenized)


@pytest.fixture(scope="module")
def probabilities(members):
    return np.mean([softmax(logits_of(one)) for one in members], axis=0)


@pytest.fixture(scope="module")
def distiller(members, student):
    """Three members, of which one reads other ids than the student."""
    made = Distiller(
        teachers.TeacherEnsemble(members),
        student,
        losses.LogitsDistillation(),
        student_loss_weight=0,
    )
    made.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    return made


def divergence(teacher, student):
    logs = np.log(teacher) - np.log(softmax(logits_of(student)))
    return (teacher * logs).sum(axis=-1).mean()


def test_each_member_reads_raw_texts_with_its_own_tokenizer(
    members, probabilities
):
    ensemble = teachers.TeacherEnsemble(members)

    found = TASK.predict_examples(ensemble, TEXTS)

    np.testing.assert_allclose(softmax(found), probabilities, atol=1e-6)
    assert found.dtype == "float32"
    assert len(ensemble) == 3
    assert ensemble.problem_type == "single_label_classification"


def test_one_member_is_the_teacher_itself(members):
    ensemble = teachers.TeacherEnsemble(members[:1])
    found = TASK.predict_examples(ensemble, TEXTS)
    np.testing.assert_array_equal(found, logits_of(members[0]))


def test_a_distiller_follows_the_mean_of_probabilities(
    distiller, probabilities, student
):
    loss = distiller.evaluate(TEXTS, batch_size=2, verbose=0)[0]
    assert loss == pytest.approx(divergence(probabilities, student), rel=1e-4)


@pytest.mark.tensorflow("batches of a tf.data.Dataset")
def test_a_data_set_of_texts_gives_each_member_its_ids(
    distiller, probabilities, student
):
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices(TEXTS).batch(4)
    loss = distiller.evaluate(batches, verbose=0)[0]
    assert loss == pytest.approx(divergence(probabilities, student), rel=1e-4)


def test_members_of_one_tokenizer_learn_from_ids(members, student):
    ensemble = teachers.TeacherEnsemble(members[:2])
    made = Distiller(
        ensemble, student, losses.LogitsDistillation(), student_loss_weight=0
    )
    made.compile("sgd")
    rows = TASK.tokenize(tasks.Examples((TEXTS,)), student.preprocessor)
    x, *_ = next(rows.iterate(4))

    loss = made.compute_loss(x, training=False)

    mean = np.mean([softmax(logits_of(one)) for one in members[:2]], axis=0)
    expected = divergence(mean, student)
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(
        expected, rel=1e-4
    )


def test_an_ensemble_is_made_again_of_its_config(members):
    """Members that share a tokenizer share it again."""
    model = teachers.TeacherEnsemble(members, LABELS).model

    again = type(model).from_config(model.get_config())

    assert again.prefixes == model.prefixes == ["", "", "reader_1."]
    first, second, third = (m.preprocessor.tokenizer for m in again.members)
    assert first is second and second is not third
    again.set_weights(model.get_weights())
    x = {name: np.ones((1, 3), "int32") for name in model.input}
    np.testing.assert_allclose(
        ops.convert_to_numpy(again(x)), ops.convert_to_numpy(model(x))
    )


def test_a_student_may_share_the_tokenizer_of_a_member(members, distiller):
    student = make_member(seed=4, tokenizer=members[2].preprocessor.tokenizer)
    made = Distiller(
        teachers.TeacherEnsemble(members), student, losses.LogitsDistillation()
    )
    assert made.get_config()["tokenizer_of_member"] == 2
    assert distiller.get_config()["tokenizer_of_member"] is None


def test_losses_on_inner_features_are_refused_by_name(members, student):
    ensemble = teachers.TeacherEnsemble(members[:2])
    for loss, name in (
        (losses.HiddenStatesDistillation(), "'hidden_states' does not find"),
        (losses.AttentionDistillation(), "'attention' does not find"),
        (losses.FeatureDistillation("tokens", "tokens"), "'tokens' does not"),
    ):
        with pytest.raises(ValueError, match=name) as error:
            Distiller(ensemble, student, loss)
        assert "members of an ensemble compute inside" in str(error.value)


def test_ids_alone_do_not_serve_members_of_other_tokenizers(distiller):
    ids = np.ones((2, 4), "int32")
    x = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids}
    with pytest.raises(ValueError, match="member 3 of the teacher and the stu"):
        distiller.fit(x, verbose=0)


def test_permuted_classes_of_a_member_are_put_in_order(members):
    """By their names, in upper or lower case."""
    order = [2, 0, 1]
    permuted = make_member(seed=1)
    head = permuted.get_layer("logits")
    for weight in head.weights:
        weight.assign(ops.take(weight, order, axis=-1))
    names = tuple(LABELS[i].upper() for i in order)
    plain = teachers.LoadedTeacher(members[0], True, LABELS)
    other = teachers.LoadedTeacher(permuted, True, names)

    for both in ([plain, other], [other, plain]):
        ensemble = teachers.TeacherEnsemble(both, LABELS)
        assert ensemble.label_names == LABELS
        found = TASK.predict_examples(ensemble, TEXTS)
        np.testing.assert_allclose(found, logits_of(members[0]), atol=1e-5)
        rows = TASK.tokenize(TEXTS, members[0].preprocessor)
        x, *_ = next(rows.iterate(4))
        np.testing.assert_allclose(
            ops.convert_to_numpy(ensemble.model(x)), found, atol=1e-5
        )
    assert teachers.TeacherEnsemble([other, plain]).label_names == names


def test_other_classes_of_a_member_are_refused_by_its_name(members):
    other = teachers.LoadedTeacher(members[1], True, ("yes", "no", "maybe"))
    with pytest.raises(ValueError, match="of member 1, 'member_2' are yes, no"):
        teachers.TeacherEnsemble([other], LABELS)


def test_a_permuted_order_is_told_before_training(members, student):
    permuted = LABELS[::-1]
    teacher = teachers.LoadedTeacher(members[0], True, permuted)
    with pytest.raises(ValueError, match="in another order"):
        Distiller(
            teacher,
            teachers.LoadedTeacher(student, True, LABELS),
            losses.LogitsDistillation(),
        )
    distiller = Distiller(
        teacher, student, losses.LogitsDistillation(), student_loss_weight=0
    )
    distiller.compile("sgd")
    rows = TASK.tokenize(TEXTS, student.preprocessor)
    with pytest.raises(ValueError, match="in another order.*TeacherEnsemble"):
        distiller.fit(rows, verbose=0)
    with pytest.raises(ValueError, match="in another order"):
        distiller.evaluate(rows, verbose=0)


@pytest.fixture(scope="module")
def folders(members, tmp_path_factory):
    folder = tmp_path_factory.mktemp("members")
    for number, one in enumerate(members):
        export.to_preset(one, folder / str(number), LABELS)
    return [folder / str(number) for number in range(len(members))]


def test_folders_are_loaded_one_at_a_time(folders, probabilities, monkeypatch):
    import weakref

    alive, most = weakref.WeakSet(), []
    load = teachers.load_teacher

    def counted(*args, **kwargs):
        loaded = load(*args, **kwargs)
        alive.add(loaded.classifier)
        most.append(len(alive))
        return loaded

    where = "keras_distill.teachers.ensembles.teacher_ensemble.load_teacher"
    monkeypatch.setattr(where, counted)

    ensemble = teachers.TeacherEnsemble(folders, sequence_length=16)
    found = TASK.predict_examples(ensemble, TEXTS)

    np.testing.assert_allclose(softmax(found), probabilities, atol=1e-6)
    assert ensemble.label_names == LABELS
    assert most == [1] * 6
    assert str(folders[0]) in ensemble.members[0].in_words


def test_a_folder_without_a_trained_head_is_refused(folders, tmp_path):
    export.to_encoder_preset(make_member(seed=5), tmp_path / "encoder")
    with pytest.raises(ValueError, match="Member 2, .*no trained head"):
        teachers.TeacherEnsemble([folders[0], tmp_path / "encoder"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda members: [], "at least one teacher. Received: none"),
        (lambda members: [members[0], 3], "must be teachers.*Received: 3"),
        (
            lambda members: [members[0], make_member(num_classes=2)],
            r"3 for a text of member 1, 'member_1', and 2 for a text of member",
        ),
        (
            lambda members: [
                teachers.LoadedTeacher(members[0], True, None, kind)
                for kind in ("regression", "single_label_classification")
            ],
            "the same kind of problem. Received: regression of member 1",
        ),
        (
            lambda members: [members[0].backbone],
            "Member 1, .*must have one output",
        ),
    ],
)
def test_members_that_do_not_go_together_are_refused(members, make, message):
    with pytest.raises(ValueError, match=message):
        teachers.TeacherEnsemble(make(members))


def test_labels_and_kinds_that_no_ensemble_has_are_refused(members):
    with pytest.raises(ValueError, match="each of the 3 outputs"):
        teachers.TeacherEnsemble(members[:1], ["yes", "no"])
    with pytest.raises(ValueError, match="must be one of 'single_label"):
        teachers.TeacherEnsemble(members[:1], problem_type="reading")


def test_probabilities_are_refused_by_member(members):
    inputs = members[0].input
    ends = keras.layers.Softmax()(members[0](inputs))
    model = keras.Model(inputs, ends, name="soft")
    with pytest.raises(ValueError, match="of member 2, 'soft' ends in a so"):
        teachers.TeacherEnsemble([members[0], model])


def test_logits_from_0_to_1_are_not_taken_for_probabilities(student):
    """A warning is an error here: members are known to give logits."""
    members = [make_member(seed=seed) for seed in (5, 6)]
    for one in members:
        kernel, bias = one.output_dense.weights
        kernel.assign(0.001 * ops.convert_to_numpy(kernel))
        bias.assign([0.2, 0.5, 0.8])
    Distiller(
        teachers.TeacherEnsemble(members), student, losses.LogitsDistillation()
    )


def test_tags_are_averaged_by_the_token_and_the_word(make_token_classifier):
    """Two taggers of one tokenizer, whose second one reads shorter rows."""
    names = tasks.WIKIANN_TAGS
    task = tasks.tagging_task("names", names)
    taggers = [make_token_classifier(num_layers=1) for _ in range(2)]
    random = np.random.default_rng(3)
    for tagger in taggers:
        tagger.run_eagerly = True
        for weight in tagger.weights:
            weight.assign(0.5 * random.normal(size=weight.shape))
    examples = tasks.TaggedExamples([["Anna", "sings", "in", "Oslo"], ["Oslo"]])
    ensemble = teachers.TeacherEnsemble(taggers)

    found = task.predict_examples(ensemble, examples, sequence_length=6)

    rows = task.tokenize(examples, taggers[0].preprocessor, 6)
    x, *_ = next(rows.iterate(2))
    tokens = ops.convert_to_numpy(ensemble.model(x))
    each = [ops.convert_to_numpy(one(x, training=False)) for one in taggers]
    mean = np.mean([softmax(logits) for logits in each], axis=0)
    np.testing.assert_allclose(softmax(tokens), mean, atol=1e-6)
    of_words = rows.to_words(np.arange(2), mean.argmax(axis=-1))
    for ours, expected in zip(found, of_words, strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert isinstance(taggers[0], models.TokenClassifier)
    one = task.predict_examples(taggers[0], examples, sequence_length=6)
    for ours, expected in zip(one, task.predict(taggers[0], rows), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_scores_of_a_regression_are_averaged():
    both = [make_member(num_classes=1, seed=seed) for seed in (6, 7)]
    ensemble = teachers.TeacherEnsemble(both)
    scores = [np.array([[1.0], [-2.0]]), np.array([[4.0], [0.5]])]
    assert ensemble.problem_type == "regression"
    np.testing.assert_allclose(ensemble.combine(scores), [[2.5], [-0.75]])
