import math

import pytest

from keras_distill.evaluation.verdict import highlights
from keras_distill.evaluation.verdict import verdict


def test_a_better_student(make_comparison):
    assert verdict(make_comparison(), "student", "baseline") == (
        "The student keeps 98.0% of the teacher's accuracy with 17.0 times "
        "fewer encoder weights, is 9.1 times faster at batch 1, and stands "
        "8.2 points above the same student trained without a teacher."
    )


def test_a_worse_student(make_comparison):
    comparison = make_comparison(
        accuracies=(0.9, 0.8, 0.776),
        kept=(1.0, 0.889, 0.862),
        encoder_ratio=0.5,
        latency_ratio=0.4,
    )
    assert verdict(comparison, "student", "baseline") == (
        "The student keeps 86.2% of the teacher's accuracy with 2.0 times "
        "more encoder weights, is 2.5 times slower at batch 1, and stands "
        "2.4 points below the same student trained without a teacher."
    )


def test_an_equal_student(make_comparison):
    comparison = make_comparison(
        accuracies=(0.9, 0.9, 0.9),
        kept=(1.0, 1.0, 1.0),
        encoder_ratio=1.0,
        latency_ratio=0.96,
    )
    assert verdict(comparison, "student", "baseline") == (
        "The student keeps 100.0% of the teacher's accuracy with as many "
        "encoder weights, is as fast at batch 1, and is level with the same "
        "student trained without a teacher."
    )


def test_a_student_above_its_teacher(make_comparison):
    comparison = make_comparison(kept=(1.0, 0.889, 1.02), metric="matthews")
    assert verdict(comparison, "student", None) == (
        "The student reaches 102.0% of the teacher's Matthews correlation "
        "with 17.0 times fewer encoder weights and is 9.1 times faster at "
        "batch 1."
    )


def test_a_teacher_that_learnt_nothing(make_comparison):
    comparison = make_comparison(
        accuracies=(0.0, 0.1, 0.2), kept=(None, None, None), metric="matthews"
    )
    assert verdict(comparison, "student", "baseline").startswith(
        "The student has a Matthews correlation of 20.0 where the teacher "
        "has 0.0, with 17.0 times fewer"
    )
    assert highlights(comparison, "student", None)[0][0] == "–"


def test_a_number_not_known(make_comparison):
    comparison = make_comparison(accuracies=(0.9, math.nan, 0.8))
    assert verdict(comparison, "student", "baseline").endswith(
        "and cannot be held against the same student trained without a teacher."
    )
    assert highlights(comparison, "student", "baseline")[3][0] == "–"


def test_highlights_say_the_same(make_comparison):
    assert highlights(make_comparison(), "student", "baseline") == [
        ("98.0%", "of the teacher's accuracy kept"),
        ("17.0×", "fewer encoder weights"),
        ("9.1×", "faster at batch 1"),
        ("+8.2", "points of accuracy over no teacher"),
    ]


def test_highlights_of_a_worse_student(make_comparison):
    comparison = make_comparison(
        accuracies=(0.9, 0.8, 0.776), encoder_ratio=0.5, latency_ratio=0.4
    )
    assert highlights(comparison, "student", "baseline")[1:] == [
        ("2.0×", "more encoder weights"),
        ("2.5×", "slower at batch 1"),
        ("−2.4", "points of accuracy over no teacher"),
    ]


def test_a_row_that_is_not_there(make_comparison):
    with pytest.raises(ValueError, match="Received: name='pupil'"):
        verdict(make_comparison(), "pupil", "baseline")
