import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import losses
from keras_distill.features import ModelDescription
from keras_distill.losses.objective import Objective


def bert(num_layers, width=16, heads=2, num_classes=3):
    """The description of a classifier, without the classifier."""
    shapes = {"embeddings": (None, None, width), "pooled": (None, width)}
    for layer in range(1, num_layers + 1):
        shapes[f"hidden_states.{layer}"] = (None, None, width)
        shapes[f"attention_scores.{layer}"] = (None, heads, None, None)
    shapes |= {"logits": (None, num_classes), "padding_mask": (None, None)}
    return ModelDescription(
        f"bert_{num_layers}", num_layers, shapes, {"logits": None}
    )


def several(*names):
    """The description of a model of these outputs, of three classes each."""
    shapes = {f"output.{name}": (None, 3) for name in names}
    return ModelDescription("several", 0, shapes, dict.fromkeys(shapes))


INSIDE = [
    losses.HiddenStatesDistillation(include_embeddings=True),
    losses.AttentionDistillation(),
]


@pytest.mark.parametrize(
    ("student_layers", "teacher_layers"), [(4, 12), (6, 12), (1, 3), (2, 2)]
)
def test_tinybert_has_an_attention_and_a_hidden_term_for_each_layer(
    student_layers, teacher_layers
):
    objective = Objective(
        INSIDE, None, bert(teacher_layers), bert(student_layers)
    )
    hidden, attention = objective.matches
    assert len(hidden) == student_layers + 1
    assert len(attention) == student_layers
    assert objective.weights == [1.0, 1.0]


def test_plan_has_a_line_for_each_match():
    objective = Objective(
        [*INSIDE, losses.LogitsDistillation(temperature=2)],
        [1, 1, 0.5],
        bert(4),
        bert(2, width=8),
    )
    assert objective.plan() == [
        "student embeddings <- teacher embeddings | "
        "hidden states, 8 -> 16 linear, mse, masked",
        "student layer 1 <- teacher layer 2 | "
        "hidden states, 8 -> 16 linear, mse, masked",
        "student layer 2 <- teacher layer 4 | "
        "hidden states, 8 -> 16 linear, mse, masked",
        "student layer 1 <- teacher layer 2 | "
        "attention scores, 2 heads, mse, valid pairs",
        "student layer 2 <- teacher layer 4 | "
        "attention scores, 2 heads, mse, valid pairs",
        "student logits <- teacher logits | "
        "logits, 3 classes, kl of softmax, temperature 2 | weight 0.5",
    ]


def test_features_are_asked_for_once_and_only_where_matched():
    objective = Objective(
        [
            losses.HiddenStatesDistillation(layer_map.explicit({1: 2})),
            losses.HiddenStatesDistillation(
                layer_map.explicit({1: 2, 2: 3}), loss="cosine"
            ),
        ],
        None,
        bert(4),
        bert(2),
    )
    assert objective.teacher_features() == [
        "hidden_states.2",
        "hidden_states.3",
    ]
    assert objective.student_features() == [
        "hidden_states.1",
        "hidden_states.2",
    ]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("auto", ["hidden_states"]),
        (
            "per_layer",
            [
                "hidden_states_embeddings",
                "hidden_states_hidden_states_1",
                "hidden_states_hidden_states_2",
            ],
        ),
    ],
)
def test_projections_by_name(choice, names):
    loss = losses.HiddenStatesDistillation(
        include_embeddings=True, projection=choice
    )
    objective = Objective(loss, None, bert(4), bert(2, width=8))
    projections = objective.projections()
    assert list(projections) == names
    assert {
        (p.student_width, p.teacher_width) for p in projections.values()
    } == {(8, 16)}


def test_equal_widths_need_no_projection():
    objective = Objective(INSIDE, None, bert(4), bert(2))
    assert objective.projections() == {}


@pytest.mark.parametrize(
    ("names", "taken", "expected"),
    [
        (["a", "b"], (), ["a_loss", "b_loss"]),
        (["a", "a", "a"], (), ["a_loss", "a_2_loss", "a_3_loss"]),
        (["a", "a_2", "a"], (), ["a_loss", "a_2_loss", "a_3_loss"]),
        (["a_2", "a", "a"], (), ["a_2_loss", "a_loss", "a_3_loss"]),
        (["student"], {"student_loss"}, ["student_2_loss"]),
    ],
)
def test_term_names_are_unique(names, taken, expected):
    objective = Objective(
        [losses.LogitsDistillation(name=name) for name in names],
        None,
        bert(2),
        bert(2),
        taken_names=taken,
    )
    assert objective.term_names == expected


def test_terms_are_means_over_the_batch_and_total_is_their_weighted_sum():
    objective = Objective(
        [
            losses.LogitsDistillation(loss="mse", name="mse"),
            losses.LogitsDistillation(loss="mse", name="again"),
        ],
        [2.0, 0.25],
        bert(2),
        bert(2),
    )
    teacher = {"logits": np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])}
    student = {"logits": np.array([[1.0, 2.0, 6.0], [3.0, 0.0, 3.0]])}
    # By row: 9 / 3 and 18 / 3.
    terms = objective.terms(teacher, student, {})
    assert {name: float(x) for name, x in terms.items()} == {
        "mse_loss": 4.5,
        "again_loss": 4.5,
    }
    assert float(objective.total(terms)) == 2.25 * 4.5
    terms = objective.terms(teacher, student, {}, np.array([2.0, 0.5]))
    assert float(terms["mse_loss"]) == (2.0 * 3 + 0.5 * 6) / 2


def test_weights_of_one_output_stay_with_it():
    objective = Objective(
        losses.LogitsDistillation(loss="mse"),
        None,
        several("a", "b"),
        several("a", "b"),
    )
    zeros, ones = np.zeros((2, 3)), np.ones((2, 3))
    teacher = {"output.a": zeros, "output.b": zeros}
    student = {"output.a": ones, "output.b": 2 * ones}
    weights = {"a": np.array([1.0, 3.0]), "b": np.array([[0.5], [0.0]])}
    terms = objective.terms(teacher, student, {}, weights)
    assert float(terms["logits_loss"]) == (1 + 3) / 2 + 4 * (0.5 + 0) / 2
    terms = objective.terms(teacher, student, {}, {"a": np.array([1.0, 3.0])})
    assert float(terms["logits_loss"]) == (1 + 3) / 2 + 4


def test_outputs_that_only_the_teacher_has_are_left_out():
    objective = Objective(
        losses.LogitsDistillation(), None, several("a", "b"), several("b")
    )
    assert objective.teacher_features() == ["output.b"]


def test_some_matches_alone():
    objective = Objective(
        [*INSIDE, losses.LogitsDistillation()], [1, 2, 3], bert(4), bert(2)
    )
    first = objective.only(lambda match: match.student.endswith(".1"))
    assert first.student_features() == ["hidden_states.1", "attention_scores.1"]
    assert first.teacher_features() == ["hidden_states.2", "attention_scores.2"]
    assert first.term_names == objective.term_names
    # The weights stay with their losses.
    assert first.total({"attention_loss": 5.0}) == 10.0
    assert len(objective.student_features()) == 6
