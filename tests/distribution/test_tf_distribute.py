"""Replicas and workers end as one process does on the same batches."""

import pytest


@pytest.mark.strategies
def test_replicas_and_workers_end_as_one_process_does(
    distil, distil_here, assert_same, two_workers
):
    expected = distil_here()
    assert_same(distil("mirrored"), expected)
    for worker in distil(
        "multiworker", [{"TF_CONFIG": text} for text in two_workers]
    ):
        assert_same(worker, expected)


@pytest.mark.slow
def test_replicas_clip_and_add_up_the_gradients_of_the_whole_batch(
    distil, distil_here, assert_same
):
    """Less than a hundredth of the gradients' norm is left."""
    options = {
        "of_optimizer": {"clipnorm": 0.005, "gradient_accumulation_steps": 2}
    }
    assert_same(distil("mirrored", **options), distil_here(**options))


# All that a TPU wants of a step, on a CPU.
_FIXED = {"fixed_length": 8, "drop_remainder": True}
_COMPILED = {**_FIXED, "jit_compile": True, "steps_per_execution": 2}


@pytest.mark.slow
def test_fixed_shapes_under_xla_train_as_on_a_tpu(distil_here, assert_same):
    assert_same(distil_here(**_COMPILED), distil_here(**_FIXED))


@pytest.mark.slow
def test_bfloat16_under_xla_is_near_float32(distil_here, assert_same):
    compiled = distil_here(**_COMPILED, dtype="mixed_bfloat16")
    assert_same(compiled, distil_here(**_FIXED), rtol=0.05, atol=0.05)
