"""Data parallelism on JAX ends as one device does."""

import keras
import pytest

# Tiny models gain nothing by XLA's optimisations.
_ONE = "--xla_backend_optimization_level=0"
_EIGHT = f"{_ONE} --xla_force_host_platform_device_count=8"


@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="about Keras's JAX backend"
)
def test_eight_devices_end_as_one_does(distil, assert_same):
    data = {"batch_size": 8, "drop_remainder": True}
    one, eight = (
        distil(how, [{"XLA_FLAGS": flags}], **data)
        for how, flags in (("none", _ONE), ("data_parallel", _EIGHT))
    )
    assert_same(eight, one)
