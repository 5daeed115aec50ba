"""What the weights of a model are, and which of them are random numbers."""

import hashlib
import weakref

import keras
import numpy as np
from keras.src.initializers.random_initializers import RandomInitializer

from keras_distill.teachers.cache.fingerprint import update_digest

# By model: the weights as a run left them, and what the stages that it went
# through in this process started from.
_LEFT = weakref.WeakKeyDictionary()


def weights_identity(model, weights=None, is_seeded=True):
    """Tells weights from others, random numbers apart.

    A script that sets no seed makes another random start each time it is
    run. What of it is random is therefore compared only if a seed was set;
    all other weights always are.

    Args:
        model: `keras.Model`.
        weights: Optional list of `keras.Variable` of the model: those that
            count. Defaults to all.
        is_seeded: bool. Whether the process had set a seed when the model
            was made. Defaults to `True`.

    Returns:
        dict that JSON can hold: `"weights"` and `"random_numbers"`, a hash
        each, and `"seeded"`, whether the process had set a seed.
    """
    chosen = model.weights if weights is None else weights
    random = _random_weights(model)
    given = [w for w in chosen if id(w) not in random]
    drawn = [w for w in chosen if id(w) in random]
    places = [i for i, w in enumerate(chosen) if id(w) in random]
    return {
        "weights": _hash(given, [len(chosen), *places]),
        "random_numbers": _hash(drawn, places),
        "seeded": is_seeded,
    }


def has_random_weights(model):
    """Whether a weight of a model is still what it was drawn as.

    Args:
        model: `keras.Model`.

    Returns:
        bool.
    """
    return bool(_random_weights(model))


def is_same_start(there, now):
    """Whether weights are the same, or may be but for random numbers.

    Args:
        there: dict, what `weights_identity` returned.
        now: dict, the same of another process.

    Returns:
        bool.
    """
    if there["weights"] != now["weights"]:
        return False
    both_seeded = there["seeded"] and now["seeded"]
    return there["random_numbers"] == now["random_numbers"] or not both_seeded


def start_of(model, stage, is_seeded):
    """What a stage of a run starts from.

    A model that comes from an earlier call in this process, as when a cell
    of a notebook is run again, and was not touched since, starts from what
    it started from then: its weights come from the folder anyway.

    Args:
        model: `keras.Model`, the student.
        stage: Whatever tells the stage from others.
        is_seeded: bool. As for `weights_identity`.

    Returns:
        dict, as `weights_identity` returns it.
    """
    known = _LEFT.get(model)
    if known is not None and stage in known["starts"]:
        if known["weights"] == _hash(model.weights):
            return known["starts"][stage]
    return weights_identity(model, is_seeded=is_seeded)


def note_left(model, stage, start):
    """Notes what a stage started from, and the weights as they are now.

    Args:
        model: `keras.Model`, the student.
        stage: Whatever tells the stage from others.
        start: What `start_of` returned.
    """
    known = _LEFT.setdefault(model, {"starts": {}})
    known["starts"][stage] = start
    known["weights"] = _hash(model.weights)


def _random_weights(model):
    """The ids of variables that hold what a random initializer gives."""
    found = set()
    for layer in model._flatten_layers():
        initializers = [
            value
            for value in vars(layer).values()
            if isinstance(value, RandomInitializer)
        ]
        for variable in _own_variables(layer):
            if any(_is_drawn(variable, one) for one in initializers):
                found.add(id(variable))
    return found


def _own_variables(layer):
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _is_drawn(variable, initializer):
    """Whether it holds what the initializer gives, each time the same."""
    try:
        drawn = initializer(variable.shape, dtype=variable.dtype)
    # It is for variables of another shape.
    except (TypeError, ValueError):
        return False
    drawn = keras.ops.convert_to_numpy(drawn)
    return np.array_equal(drawn, keras.ops.convert_to_numpy(variable))


def _hash(weights, places=()):
    digest = hashlib.sha256(str(list(places)).encode())
    for weight in weights:
        update_digest(digest, weight)
    return digest.hexdigest()
