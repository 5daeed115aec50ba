"""Which of several processes writes."""

import json
import os

import keras


def is_chief():
    """Whether this process writes for all that train together.

    With `tf.distribute` over several machines it is the chief, or worker 0
    where there is none, as the environment variable `TF_CONFIG` says; on JAX
    it is process 0.

    Returns:
        bool. `True` for a process that trains alone.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.process_index() == 0
    config = json.loads(os.environ.get("TF_CONFIG", "{}"))
    task = config.get("task", {})
    if "chief" in config.get("cluster", {}):
        return task.get("type") == "chief"
    return int(task.get("index", 0)) == 0
