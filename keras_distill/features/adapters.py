"""Where the features of a layer or model are.

A KerasHub model needs nothing: its `TransformerEncoder` has an adapter here.
For another maker's block, or for a model written as a subclass, a small
adapter says where the features are.
"""

_ADAPTERS = {}


class FeatureAdapter:
    """Says where the features of one class of layers or models are.

    Subclass it, override `call`, and register an instance with
    `register_adapter`. The layer's own weights are used as they are; nothing
    is copied or patched.

    Example:

    ```python
    import keras
    from keras_distill import features


    class MyBlock(keras.layers.Layer):
        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)
            self.mix = keras.layers.Dense(width, activation="gelu")

        def call(self, x):
            return x + self.mix(x)


    class MyBlockAdapter(features.FeatureAdapter):
        def call(self, layer, recorder, x):
            number = recorder.next_layer(x)
            outputs = layer(x)
            recorder.record("hidden_states", outputs, number)
            return outputs


    features.register_adapter(MyBlock, MyBlockAdapter())
    ```
    """

    # Why a model shows nothing of what it computes inside, if that is so.
    why_no_more = ""

    def call(self, layer, recorder, *args, **kwargs):
        """Calls the layer symbolically and records its features.

        Args:
            layer: The layer or model that is called.
            recorder: `FeatureRecorder` to hand the features to.
            *args: The arguments of the call.
            **kwargs: The keyword arguments of the call.

        Returns:
            What `layer(*args, **kwargs)` returns.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override `call(layer, recorder, ...)`"
        )

    def inputs(self, model):
        """The symbolic inputs of a model that is not functional.

        Only an adapter of a whole subclassed model overrides it.

        Args:
            model: The model to build inputs for.

        Returns:
            A structure of `keras.Input`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override `inputs(model)`, since "
            f"{type(model).__name__} has no symbolic inputs of its own."
        )


def register_adapter(layer_class, adapter):
    """Uses an adapter for a class and its subclasses.

    Args:
        layer_class: A subclass of `keras.layers.Layer` or `keras.Model`.
        adapter: `FeatureAdapter`. The last one registered for a class counts.

    Raises:
        ValueError: If `adapter` is no `FeatureAdapter`.
    """
    if not isinstance(adapter, FeatureAdapter):
        raise ValueError(
            "`adapter` must be an instance of a FeatureAdapter subclass. "
            f"Received: adapter={adapter!r}"
        )
    _ADAPTERS[layer_class] = adapter


def find_adapter(layer):
    """The adapter for a layer's class or nearest base class, or `None`."""
    for layer_class in type(layer).__mro__:
        if layer_class in _ADAPTERS:
            return _ADAPTERS[layer_class]
    return None
