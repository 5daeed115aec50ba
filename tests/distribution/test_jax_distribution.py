"""Data parallelism on JAX ends as one device does."""

import pytest

_EIGHT = "--xla_force_host_platform_device_count=8"


def test_eight_devices_end_as_one_does(distil, assert_same):
    pytest.importorskip("jax", reason="JAX is an extra")
    data = {"batch_size": 8, "drop_remainder": True}
    one, eight = (
        distil(how, [{"KERAS_BACKEND": "jax", "XLA_FLAGS": flags}], **data)
        for how, flags in (("none", ""), ("data_parallel", _EIGHT))
    )
    assert_same(eight, one)
