"""What a faithful TinyBERT must show, and which test shows it.

What no other test is about is tested here; the rest is pointed to.
"""

import ast
import functools
import pathlib

import keras
import numpy as np
import pytest

from keras_distill import losses
from keras_distill.losses import AttentionDistillation
from recipes.common.training import make_optimizer
from recipes.tinybert.config import Config

TESTS = pathlib.Path(__file__).resolve().parents[1]
_ATTENTION = "losses/test_attention_distillation.py"
_HIDDEN = "losses/test_hidden_states_distillation.py"
_LOGITS = "losses/test_logits_distillation.py"
_LOSSES = "losses/test_distillation_loss.py"
_STEP = "distiller/test_step.py"
_STEPS = "distiller/test_two_steps.py"
_HEAD = "models/test_bert_head.py"
_HERE = "recipes/test_tinybert_acceptance.py"
SHOWN_BY = {
    "sizes of TinyBERT4, TinyBERT6 and BERT-base": {
        "students/test_presets.py": [
            "test_parameter_counts",
            "test_tinybert4_is_7_6_times_smaller_than_bert_base",
        ],
    },
    "layer maps, depths that do not divide": {
        "test_layer_map.py": [
            "test_pairs",
            "test_uniform_names_the_way_out_for_depths_that_do_not_divide",
        ],
    },
    "attention scores: golden values of the three normalizations": {
        _ATTENTION: ["test_golden_values_of_tinybert"],
    },
    "attention scores are compared before the softmax": {
        _ATTENTION: ["test_scores_are_compared_before_the_softmax"],
        _HERE: ["test_a_constant_on_all_scores_counts"],
    },
    "scores at or below -100 are zeroed, in each model by itself": {
        _ATTENTION: ["test_official_threshold"],
    },
    "hidden states: projections, and 0 for models that are equal": {
        _HIDDEN: ["test_projections_of_tinybert"],
        _HERE: ["test_equal_states_have_no_loss"],
    },
    "terms of step 1, all of weight 1, and their sum": {
        _LOSSES: [
            "test_terms_and_projections_of_tinybert",
            "test_the_total_is_the_sum_of_the_terms",
        ],
    },
    "soft cross-entropy: golden values, temperature, no gradient": {
        _LOGITS: [
            "test_golden_values_of_tinybert",
            "test_temperature_2_is_the_cross_entropy_of_halved_logits",
        ],
        _STEP: ["test_teacher_is_not_in_the_tape"],
    },
    "step 1 leaves the classifier alone, step 2 has predictions only": {
        _STEPS: [
            "test_first_step_leaves_pooler_and_head_alone",
            "test_second_step_has_predictions_only",
        ],
    },
    "the teacher is frozen and without dropout, unless it is asked for": {
        _STEP: [
            "test_teacher_never_runs_in_training_mode",
            "test_fit_leaves_the_teacher_as_it_was",
        ],
        "distiller/test_teacher_training.py": [
            "test_its_targets_are_drawn_anew_if_it_is_on"
        ],
    },
    "schedules; no decay of biases and norms": {
        "recipes/test_tinybert_profiles.py": [
            "test_the_papers_optimizer_and_schedules"
        ],
        _HERE: ["test_decay_leaves_out_biases_and_norms"],
    },
    "both heads; a head of Hugging Face's stays as it is": {
        _HEAD: [
            "test_logits_and_what_is_pooled",
            "test_by_default_it_is_kerashubs",
            "test_a_hugging_face_head_stays_as_it_is",
        ],
    },
    "padding changes no loss": {
        "distiller/test_weights_and_masks.py": [
            "test_padding_changes_no_loss_of_bert"
        ],
    },
    "a student of 4 layers fits a random teacher on one batch": {
        _STEPS: ["test_student_fits_a_random_teacher_on_one_batch"],
    },
}


@functools.cache
def names_in(file):
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("what", SHOWN_BY)
def test_it_is_shown(what):
    for file, names in SHOWN_BY[what].items():
        assert not set(names) - names_in(file)


def test_a_constant_on_all_scores_counts():
    """By its square; the softmax would not see it."""
    scores = np.random.default_rng(0).normal(size=(2, 3, 4, 4))
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]])
    loss = AttentionDistillation()
    found = loss.per_example(scores, scores + 3.0, mask)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(found), [9.0, 9.0], rtol=1e-5
    )


@pytest.mark.parametrize("normalization", ["valid_tokens", "official"])
def test_equal_states_have_no_loss(normalization):
    states = np.random.default_rng(0).normal(size=(2, 4, 8))
    loss = losses.HiddenStatesDistillation(normalization=normalization)
    found = loss.per_example(states, states, np.ones((2, 4)))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), [0, 0])


@pytest.mark.parametrize("kind", ["adamw", "bert_adam"])
def test_decay_leaves_out_biases_and_norms(kind, make_classifier):
    """By the gradient alone they would stay as they are: it is zero."""
    model = make_classifier(num_layers=1)
    for variable in model.trainable_variables:
        variable.assign(np.ones(variable.shape))
    optimizer = make_optimizer(Config(optimizer=kind, weight_decay=0.5), 0.1)
    variables = model.trainable_variables
    optimizer.apply([keras.ops.zeros_like(v) for v in variables], variables)
    for variable in variables:
        is_left = variable.name in ("bias", "gamma", "beta")
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(variable),
            np.full(variable.shape, 1.0 if is_left else 0.95),
            rtol=1e-5,
            err_msg=variable.path,
        )
    names = {v.name for v in variables}
    assert {"bias", "gamma", "beta", "kernel"} <= names
