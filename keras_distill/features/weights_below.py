"""Which weights of a model its features depend on."""

import keras

from keras_distill.features.feature_extractor import expand_features
from keras_distill.features.rebuild import rebuild
from keras_distill.features.rebuild import symbolic_inputs
from keras_distill.features.recorder import FeatureRecorder


def weights_below(model, features, description=None):
    """Finds the weights that features of a model depend on.

    Args:
        model: `keras.Model` that a `FeatureExtractor` can look into.
        features: str or iterable of str, as `FeatureExtractor` takes them.
        description: Optional `ModelDescription` of the model, if it is known.

    Returns:
        dict of feature name to list of `keras.Variable`, in the model's order.

    Raises:
        ValueError: If the model has no such feature.

    Example:

    ```python
    import keras
    from keras_distill import features

    x = keras.Input((4,))
    h = keras.layers.Dense(3, name="hidden")(x)
    model = keras.Model(x, keras.layers.Dense(2, name="head")(h))
    found = features.weights_below(model, ["layer.hidden", "logits"])
    print([len(weights) for weights in found.values()])
    ```
    """
    wanted = expand_features(model, features, description)
    recorder = FeatureRecorder(wanted)
    rebuild(model, symbolic_inputs(model), recorder)
    return {
        name: _in_order(model, _operations_below(recorder.features[name]))
        for name in wanted
    }


def _in_order(model, operations):
    found = {
        id(weight)
        for operation in operations
        if isinstance(operation, keras.layers.Layer)
        for weight in operation.weights
    }
    return [weight for weight in model.weights if id(weight) in found]


def _operations_below(tensors):
    """The operations that symbolic tensors were computed by."""
    waiting = keras.tree.flatten(tensors)
    seen, operations = set(), []
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        history = tensor._keras_history
        operations.append(history.operation)
        node = history.operation._inbound_nodes[history.node_index]
        waiting += node.input_tensors
    return operations
