"""Collects features while a model is rebuilt."""

from keras_distill.features import names


class FeatureRecorder:
    """Collects the named tensors of one symbolic pass through a model.

    An adapter gets a recorder, announces each transformer layer with
    `next_layer` and hands over what it sees with `record`.

    Args:
        wanted: Optional collection of feature names. `None` wants all.

    Attributes:
        features: dict of feature name to symbolic tensor.
        num_layers: int. How many transformer layers were announced.
    """

    def __init__(self, wanted=None):
        self.features = {}
        self.num_layers = 0
        self._wanted = None if wanted is None else frozenset(wanted)
        self._ambiguous = set()
        self._top = None
        self._is_one_stack = True

    def next_layer(self, inputs, padding_mask=None):
        """Announces a transformer layer and returns its number, from 1.

        Args:
            inputs: Symbolic tensor `(B, L, D)` that enters the layer. In the
                first layer it is the output of the embeddings.
            padding_mask: Optional symbolic tensor `(B, L)`.
        """
        if self.num_layers == 0:
            self.record(names.EMBEDDINGS, inputs)
            if padding_mask is not None:
                self.record(names.PADDING_MASK, padding_mask)
        elif self._top is not None and not _depends_on(inputs, self._top):
            self._is_one_stack = False
        self.num_layers += 1
        return self.num_layers

    def wants(self, kind, layer):
        """Whether a feature of a layer is asked for."""
        if self._wanted is None:
            return True
        return names.layer_feature(kind, layer) in self._wanted

    def wants_attention(self, layer):
        """Whether anything inside a layer's self-attention is asked for."""
        return any(self.wants(kind, layer) for kind in names.ATTENTION_KINDS)

    def record(self, name, tensor, layer=None):
        """Hands over a feature.

        Args:
            name: str. A name of `keras_distill.features.names`; with `layer`,
                one of its layer kinds.
            tensor: Symbolic tensor or structure of them.
            layer: Optional int. The layer, counted from 1.
        """
        if name == names.HIDDEN_STATES:
            self._top = tensor
        if layer is not None:
            name = names.layer_feature(name, layer)
        self.features[name] = tensor

    def record_layer(self, path, outputs):
        """Hands over what a layer returned, under its name in the model."""
        name = names.layer_feature(names.LAYER, path)
        if name in self.features:
            self._ambiguous.add(name)
        self.features[name] = outputs

    def is_ambiguous(self, name):
        """Whether more than one tensor could be meant by a name.

        That is so for a layer that was called more than once, and for the
        numbered layers of a model in which some stand side by side.
        """
        kind = name.split(".")[0]
        if kind in (*names.LAYER_KINDS, names.EMBEDDINGS):
            return not self._is_one_stack
        return name in self._ambiguous


def _depends_on(tensor, source):
    """Whether a symbolic tensor was computed from another one."""
    waiting, seen = [tensor], set()
    while waiting:
        tensor = waiting.pop()
        if tensor is source:
            return True
        if id(tensor) not in seen:
            seen.add(id(tensor))
            history = tensor._keras_history
            node = history.operation._inbound_nodes[history.node_index]
            waiting += node.input_tensors
    return False
