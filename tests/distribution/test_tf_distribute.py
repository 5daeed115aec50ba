"""Replicas and workers end as one process does on the same batches."""

import numpy as np


def _assert_same(ours, expected):
    assert set(ours) == set(expected)
    assert any(name.startswith("weights/") for name in ours)
    for name, value in expected.items():
        np.testing.assert_allclose(
            ours[name], value, rtol=1e-5, atol=1e-5, err_msg=name
        )


def test_replicas_and_workers_end_as_one_process_does(distil, two_workers):
    expected = distil("none")
    _assert_same(distil("mirrored"), expected)
    for worker in distil(
        "multiworker", [{"TF_CONFIG": text} for text in two_workers]
    ):
        _assert_same(worker, expected)
