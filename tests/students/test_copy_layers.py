import keras_hub
import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import students

TEXTS = ["a good film", "the plot is bad and the ending is dull"]


def equal(layer, other):
    return all(
        np.array_equal(weight, twin)
        for weight, twin in zip(layer.weights, other.weights, strict=True)
    )


def test_copies_named_layers_and_leaves_the_rest(make_classifier, randomize):
    teacher = randomize(make_classifier(num_layers=4), seed=1)
    student = randomize(make_classifier(num_layers=3), seed=2)
    untouched = make_classifier(num_layers=3)
    untouched.set_weights(student.get_weights())

    pairs = students.copy_layers(
        teacher, student, [(1, 4), (3, 2)], include_pooler=False
    )

    assert pairs == ((1, 4), (3, 2))
    theirs = teacher.backbone.transformer_layers
    ours = student.backbone.transformer_layers
    assert equal(ours[0], theirs[3])
    assert equal(ours[2], theirs[1])
    before = untouched.backbone
    assert equal(ours[1], before.transformer_layers[1])
    for name in (
        "token_embedding",
        "position_embedding",
        "segment_embedding",
        "embeddings_layer_norm",
        "pooled_dense",
    ):
        assert equal(getattr(student.backbone, name), getattr(before, name))
    assert equal(student.output_dense, untouched.output_dense)


def test_layer_map_is_called_with_the_depths(make_backbone, randomize):
    teacher = randomize(make_backbone(num_layers=4))
    student = make_backbone(num_layers=2)
    pairs = students.copy_layers(teacher, student, layer_map.uniform)
    assert pairs == ((1, 2), (2, 4))
    for ours, theirs in pairs:
        assert equal(
            student.transformer_layers[ours - 1],
            teacher.transformer_layers[theirs - 1],
        )
    assert equal(student.pooled_dense, teacher.pooled_dense)


def test_a_full_copy_predicts_what_the_teacher_predicts(
    make_classifier, randomize, answers
):
    teacher = randomize(make_classifier(num_layers=2), seed=1)
    student = randomize(make_classifier(num_layers=2), seed=2)
    students.copy_layers(
        teacher, student, [(0, 0), (1, 1), (2, 2)], include_head=True
    )
    np.testing.assert_array_equal(
        answers(student, TEXTS), answers(teacher, TEXTS)
    )


@pytest.mark.parametrize(
    "cls",
    [
        keras_hub.models.RobertaBackbone,
        keras_hub.models.XLMRobertaBackbone,
        keras_hub.models.DistilBertBackbone,
        keras_hub.models.ElectraBackbone,
    ],
)
def test_other_families(cls, make_backbone, randomize):
    teacher = randomize(make_backbone(cls), seed=1)
    student = randomize(make_backbone(cls), seed=2)
    students.copy_layers(teacher, student, [(0, 0), (1, 1), (2, 2)])
    assert equal(student, teacher)


def test_electra_projection_is_copied_when_shapes_agree(
    make_backbone, randomize
):
    cls = keras_hub.models.ElectraBackbone
    teacher = randomize(make_backbone(cls, embedding_dim=8), seed=1)
    twin = make_backbone(cls, embedding_dim=8)
    narrow = make_backbone(cls, embedding_dim=8, hidden_dim=12)
    for student in (twin, narrow):
        students.copy_layers(teacher, student, [(0, 0)], include_pooler=False)
        assert equal(student.token_embedding, teacher.token_embedding)
    assert equal(twin.embeddings_projection, teacher.embeddings_projection)
    assert narrow.embeddings_projection.kernel.shape == (8, 12)


def test_layers_may_move_within_one_model(make_backbone, randomize):
    model = randomize(make_backbone(num_layers=3))
    first, second = (
        [np.array(weight) for weight in layer.weights]
        for layer in model.transformer_layers[:2]
    )
    students.copy_layers(model, model, [(2, 1), (3, 2)])
    for expected, layer in zip(
        (first, first, second), model.transformer_layers, strict=True
    ):
        for value, weight in zip(expected, layer.weights, strict=True):
            np.testing.assert_array_equal(weight, value)


def test_different_widths_change_nothing(make_backbone, randomize, values):
    teacher = randomize(make_backbone(), seed=1)
    student = randomize(make_backbone(intermediate_dim=24), seed=2)
    before = values(student)
    message = (
        r"Cannot copy student layer 1 <- teacher layer 2: `.*kernel` has shape "
        r"\(16, 32\) in the teacher and \(16, 24\) in the student"
    )
    with pytest.raises(ValueError, match=message):
        students.copy_layers(teacher, student, [(0, 0), (1, 2)])
    for value, weight in zip(before, student.weights, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize(
    "pairs, message",
    [
        ([(1, 0)], "may pair the embeddings"),
        ([(0, 1)], "may pair the embeddings"),
        ([(1, 1), (1, 2)], "student layer 1 more than once"),
        ([(3, 1)], "student has 2 layers"),
        ([(1, 3)], "teacher has 2 layers"),
        ([], "at least one pair"),
    ],
)
def test_impossible_pairs(pairs, message, plain_backbone):
    with pytest.raises(ValueError, match=message):
        students.copy_layers(plain_backbone, plain_backbone, pairs)


def test_head_needs_classifiers(plain_backbone, make_classifier):
    with pytest.raises(ValueError, match="needs a `teacher` with a head"):
        students.copy_layers(
            plain_backbone, plain_backbone, [(1, 1)], include_head=True
        )
    with pytest.raises(ValueError, match=r"Cannot copy head: .* shape"):
        students.copy_layers(
            make_classifier(num_layers=1, num_classes=2),
            make_classifier(num_layers=1, num_classes=3),
            [(1, 1)],
            include_head=True,
        )


def test_embeddings_need_the_same_words(make_classifier, tokenizer):
    teacher = make_classifier(num_layers=1)
    student = make_classifier(num_layers=1)
    words = tokenizer.get_vocabulary()
    student.preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer([*words[:-2], words[-1], words[-2]]),
        sequence_length=16,
    )
    message = f"is '{words[-2]}' to the teacher and '{words[-1]}'"
    with pytest.raises(ValueError, match=message):
        students.copy_layers(teacher, student, [(0, 0)])
    students.copy_layers(teacher, student, [(1, 1)])


def test_embeddings_of_another_kind(make_backbone):
    with pytest.raises(ValueError, match="kinds of embeddings"):
        students.copy_layers(
            make_backbone(),
            make_backbone(keras_hub.models.DistilBertBackbone),
            [(0, 0)],
        )


def test_factorized_words_are_copied_with_their_projection(
    make_backbone, randomize
):
    teacher = students.create_student(make_backbone(), embedding_dim=6)
    student = students.create_student(make_backbone(), embedding_dim=6)
    randomize(teacher, seed=1)
    students.copy_layers(teacher, student, [(0, 0)])
    assert equal(student.token_embedding, teacher.token_embedding)
    assert equal(student.token_projection, teacher.token_projection)


def test_factorized_words_are_no_copy_of_plain_ones(make_backbone):
    student = students.create_student(make_backbone(), embedding_dim=16)
    with pytest.raises(ValueError, match="Only one of.*factorize_embeddings"):
        students.copy_layers(make_backbone(), student, [(0, 0)])


def test_no_table_of_positions(make_backbone):
    deberta = make_backbone(keras_hub.models.DebertaV3Backbone)
    with pytest.raises(ValueError, match="no table of positions"):
        students.copy_layers(deberta, deberta, [(0, 0)])


def test_shared_layers_cannot_be_copied(make_backbone):
    albert = make_backbone(keras_hub.models.AlbertBackbone, embedding_dim=8)
    with pytest.raises(ValueError, match="shares its weights between layers"):
        students.copy_layers(albert, albert, [(1, 1)])


def test_model_of_another_maker(plain_backbone):
    with pytest.raises(ValueError, match="`teacher` must be a KerasHub task"):
        students.copy_layers("bert", plain_backbone, [(1, 1)])
