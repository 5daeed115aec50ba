"""Walks a model's graph anew, over the same layer objects.

The weights of the rebuilt graph are the model's own: nothing is copied,
patched or left behind.
"""

import itertools

import keras

# Keras exports the class of functional models under no public name.
from keras.src.models.functional import Functional

from keras_distill.features import names
from keras_distill.features.adapters import find_adapter


class NamedCall(keras.layers.Layer):
    """Calls a layer under another name.

    A functional graph wants every name once. Two nested models may each have
    a layer called "dense", which clash when both stand in one graph.

    Args:
        layer: `keras.layers.Layer`.
        name: str.
    """

    def __init__(self, layer, name):
        super().__init__(name=name, dtype=layer.dtype_policy)
        self.layer = layer
        self.supports_masking = layer.supports_masking
        self.built = True

    def call(self, *args, **kwargs):
        return self.layer(*args, **kwargs)

    def compute_output_spec(self, *args, **kwargs):
        return self.layer.compute_output_spec(*args, **kwargs)

    def compute_mask(self, inputs, previous_mask):
        return self.layer.compute_mask(inputs, previous_mask)


class _NamedOperation(keras.Operation):
    """Calls an operation that is no layer, such as a sum, under another name.

    Operations take arguments that are no tensors, which layers do not.
    """

    def __init__(self, operation, name):
        super().__init__(name=name)
        self.operation = operation

    def call(self, *args, **kwargs):
        return self.operation(*args, **kwargs)

    def compute_output_spec(self, *args, **kwargs):
        return self.operation.compute_output_spec(*args, **kwargs)


def original_of(operation):
    """The model's own layer or operation behind one of a rebuilt graph."""
    if isinstance(operation, NamedCall):
        return operation.layer
    if isinstance(operation, _NamedOperation):
        return operation.operation
    return operation


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
        self.renamed = {}

    def call(self, layer, path, args, kwargs):
        adapter = find_adapter(layer)
        if adapter is not None:
            self.named.setdefault(layer.name, layer)
            outputs = adapter.call(layer, self.recorder, *args, **kwargs)
        elif graph_of(layer) is not None:
            inputs = args[0] if args else kwargs["inputs"]
            outputs = self._through(graph_of(layer), path, inputs)
        else:
            outputs = self._unique(layer)(*args, **kwargs)
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

    def _unique(self, operation):
        """The operation under a name that no other one has in the graph."""
        first = self.named.setdefault(operation.name, operation)
        if first is operation:
            return operation
        if id(operation) not in self.renamed:
            numbered = (f"{operation.name}_{i}" for i in itertools.count(1))
            name = next(name for name in numbered if name not in self.named)
            is_layer = isinstance(operation, keras.layers.Layer)
            named = NamedCall if is_layer else _NamedOperation
            self.named[name] = self.renamed[id(operation)] = named(
                operation, name
            )
        return self.renamed[id(operation)]
