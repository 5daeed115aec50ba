"""Walks a model's graph anew, over the same layer objects.

The weights of the rebuilt graph are the model's own: nothing is copied,
patched or left behind.
"""

import keras

# Keras exports the class of functional models under no public name.
from keras.src.models.functional import Functional

from keras_distill.features import names
from keras_distill.features.adapters import find_adapter


class _NamedCall(keras.layers.Layer):
    """Calls a layer under another name.

    A functional graph wants every name once. Two nested models may each have
    a layer called "dense", which clash when both stand in one graph.
    """

    def __init__(self, layer, name):
        super().__init__(name=name, dtype=layer.dtype_policy)
        self.layer = layer
        self.built = True

    def call(self, *args, **kwargs):
        return self.layer(*args, **kwargs)


def graph_of(model):
    """The functional graph that a layer stands for, or `None`.

    A subclass that overrides `call` does something of its own and has none.
    """
    if isinstance(model, keras.Sequential):
        model = model._functional
    is_graph = isinstance(model, Functional)
    return model if is_graph and type(model).call is Functional.call else None


def symbolic_inputs(model):
    """Fresh symbolic inputs for a model, or `None` if it tells of none."""
    graph = graph_of(model)
    if graph is not None:
        return keras.tree.map_structure(
            lambda x: keras.Input(
                batch_shape=x.shape, dtype=x.dtype, name=x.name
            ),
            graph.input,
        )
    adapter = find_adapter(model)
    return None if adapter is None else adapter.inputs(model)


def rebuild(model, inputs, recorder):
    """Calls a model symbolically and records its features.

    Args:
        model: `keras.Model`, functional or with an adapter.
        inputs: Structure of symbolic inputs.
        recorder: `FeatureRecorder` that gets the features.

    Returns:
        The model's symbolic outputs.
    """
    outputs = _Walk(recorder).call(model, "", (inputs,), {})
    recorder.record(names.OUTPUTS, outputs)
    for name, output in names.named_outputs(outputs).items():
        recorder.record(name, output)
    return outputs


class _Walk:
    def __init__(self, recorder):
        self.recorder = recorder
        self.named = {}

    def call(self, layer, path, args, kwargs):
        adapter = find_adapter(layer)
        if adapter is not None:
            outputs = adapter.call(layer, self.recorder, *args, **kwargs)
        elif graph_of(layer) is not None:
            outputs = self._through(graph_of(layer), path, args[0])
        else:
            outputs = self._unique(layer, path)(*args, **kwargs)
        if path:
            self.recorder.record_layer(path, outputs)
        return outputs

    def _through(self, graph, path, inputs):
        prefix = f"{path}/" if path else ""
        outputs = graph._run_through_graph(
            graph._standardize_inputs(inputs),
            call_fn=lambda layer, *args, **kwargs: self.call(
                layer, prefix + layer.name, args, kwargs
            ),
        )
        if isinstance(outputs, dict) and "pooled_output" in outputs:
            self.recorder.record(names.POOLED, outputs["pooled_output"])
        return outputs

    def _unique(self, layer, path):
        first = self.named.setdefault(layer.name, layer)
        if first is layer or not isinstance(layer, keras.layers.Layer):
            return layer
        return _NamedCall(layer, path.replace("/", "_"))
