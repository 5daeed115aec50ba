"""Replicas and workers end as one process does on the same batches."""

import pytest


@pytest.mark.strategies
def test_replicas_and_workers_end_as_one_process_does(
    distil, assert_same, two_workers
):
    expected = distil("none")
    assert_same(distil("mirrored"), expected)
    for worker in distil(
        "multiworker", [{"TF_CONFIG": text} for text in two_workers]
    ):
        assert_same(worker, expected)


@pytest.mark.slow
def test_fixed_shapes_under_xla_train_as_on_a_tpu(distil, assert_same):
    # All that a TPU wants of a step, on a CPU.
    data = {"fixed_length": 8, "drop_remainder": True}
    expected = distil("none", **data)
    compiled = distil("none", **data, jit_compile=True, steps_per_execution=2)
    assert_same(compiled, expected)


@pytest.mark.slow
def test_bfloat16_under_xla_is_near_float32(distil, assert_same):
    data = {"fixed_length": 8, "drop_remainder": True}
    expected = distil("none", **data)
    compiled = distil(
        "none",
        **data,
        jit_compile=True,
        steps_per_execution=2,
        dtype="mixed_bfloat16",
    )
    assert_same(compiled, expected, rtol=0.05, atol=0.05)
