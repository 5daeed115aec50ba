"""How much arithmetic one text costs a model.

The backends' own counters say different things: PyTorch's counts products, but
PyTorch's alone; TensorFlow's profiler knows no `einsum`; XLA's adds up all that
is done to each number. All models here go through `keras.ops`.
"""

import contextlib
import functools
import math

import keras

# Keras exports what `keras.ops` calls on each backend under no public name.
from keras.src import backend

from keras_distill.checks.arguments import check_int
from keras_distill.checks.model_of import model_of
from keras_distill.features.rebuild import symbolic_inputs


def count_flops(model, sequence_length):
    """Counts the floating-point operations of one text.

    Two for each multiply-add of all matrix products on the way from token ids
    to the outputs: dense layers, `einsum`, attention scores and the sums that
    they weight, also where the backend fuses them. Additions of biases,
    normalizations, activations and look-ups in tables count nothing. So
    counts the literature on BERT: BERT-base's encoder has 22.35 G at 128
    tokens.

    All that the model computes is counted, a head and a pooler as well: count
    a `backbone` to leave out the head. Of a recurrent layer each step counts.
    The model is traced, not run, by shapes alone: its weights and the precision
    do not matter. One that is built within
    `keras.StatelessScope(initialize_variables=False)` has no weights in memory
    and is counted as well. Products that a layer of one's own computes past
    `keras.ops` are not seen.

    Args:
        model: functional `keras.Model` such as a KerasHub task or backbone, or
            one of a class with an adapter (`features.register_adapter`).
        sequence_length: int. Number of tokens, which each axis behind the
            batch gets that has no fixed length. A masked language model so
            predicts a word at each token.

    Returns:
        int.

    Raises:
        ValueError: If the model does not tell of its inputs, or if they have
            another length than `sequence_length`.

    Example:

    >>> import keras_hub
    >>> from keras_distill import evaluation
    >>> backbone = keras_hub.models.BertBackbone(
    ...     vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=64,
    ...     intermediate_dim=256, max_sequence_length=32,
    ... )
    >>> f"{evaluation.count_flops(backbone, 32) / 1e6:.1f} M"
    '6.8 M'
    """
    check_int("sequence_length", sequence_length, minimum=1)
    model = model_of(model)
    free = symbolic_inputs(model)
    if free is None:
        raise ValueError(
            "`model` must tell of its inputs, as functional models and those "
            f"with an adapter do. Received: a {type(model).__name__}"
        )
    inputs = keras.tree.map_structure(
        lambda x: _of_length(x, sequence_length), free
    )
    counter = _Counter()

    def traced(inputs):
        # A trace that fails on one device is begun anew on another.
        counter.multiply_adds = 0
        return model(inputs, training=False)

    with counter.sees_products():
        backend.compute_output_spec(traced, inputs)
    return 2 * counter.multiply_adds


def _of_length(x, length):
    shape = (1, *(length if axis is None else axis for axis in x.shape[1:]))
    if length not in shape:
        raise ValueError(
            "`sequence_length` must be that of the model's inputs, where they "
            f"have one. Received: sequence_length={length} and an input "
            f"{x.name!r} of shape {x.shape}"
        )
    return keras.KerasTensor(shape, x.dtype, name=x.name)


class _Counter:
    """Counts multiply-adds of the products that pass through `keras.ops`."""

    def __init__(self):
        self.multiply_adds = 0
        self._is_inside = False

    @contextlib.contextmanager
    def sees_products(self):
        """Within, the backend's products are counted when they are called."""
        replaced = (
            (backend.numpy, "matmul", self._counting(_matmul)),
            (backend.numpy, "dot", self._counting(_matmul)),
            (backend.numpy, "tensordot", self._counting(_tensordot)),
            (backend.numpy, "einsum", self._counting(_einsum)),
            (backend.nn, "dot_product_attention", self._counting(_attention)),
            (backend, "rnn", self._steps),
            # Without these, recurrent layers go through `rnn`.
            (backend, "lstm", _not_fused),
            (backend, "gru", _not_fused),
        )
        with contextlib.ExitStack() as stack:
            for module, name, make in replaced:
                original = getattr(module, name)
                setattr(module, name, functools.wraps(original)(make(original)))
                stack.callback(setattr, module, name, original)
            yield

    def _counting(self, multiply_adds):
        def make(original):
            def product(*args, **kwargs):
                if self._is_inside:
                    return original(*args, **kwargs)
                self._is_inside = True
                try:
                    output = original(*args, **kwargs)
                finally:
                    self._is_inside = False
                self.multiply_adds += multiply_adds(output, *args, **kwargs)
                return output

            return product

        return make

    def _steps(self, original):
        """Counts one step of a recurrent layer as often as it is taken.

        How often a backend traces it says nothing.
        """

        def rnn(step_function, inputs, *args, **kwargs):
            before = self.multiply_adds

            def step(*of_step):
                self.multiply_adds = before
                return step_function(*of_step)

            outputs = original(step, inputs, *args, **kwargs)
            of_one = self.multiply_adds - before
            self.multiply_adds = before + of_one * inputs.shape[1]
            return outputs

        return rnn


def _not_fused(original):
    def refuse(*args, **kwargs):
        raise NotImplementedError

    return refuse


def _matmul(output, left, right):
    return math.prod(output.shape) * left.shape[-1]


def _tensordot(output, left, right, axes=2):
    # Each axis that is summed over stands in both, all others in the output.
    both = math.prod(left.shape) * math.prod(right.shape)
    return math.isqrt(both * math.prod(output.shape))


def _einsum(output, subscripts, *operands, **kwargs):
    terms, _, kept = subscripts.replace(" ", "").partition("->")
    sizes = {}
    for term, operand in zip(terms.split(","), operands, strict=True):
        for axis, size in zip(_axes(term, operand), operand.shape, strict=True):
            sizes[axis] = max(size, sizes.get(axis, 1))
    # Where nothing is summed over there is no matrix product.
    is_product = len(operands) > 1 and math.prod(sizes.values()) > math.prod(
        output.shape
    )
    return is_product * (len(operands) - 1) * math.prod(sizes.values())


def _axes(term, operand):
    """The names of an operand's axes; those of `...` are told by numbers."""
    before, _, after = term.partition("...")
    count = len(operand.shape) - len(before) - len(after)
    return [*before, *range(-count, 0), *after]


def _attention(output, query, key, value, *args, **kwargs):
    # A score for each pair of tokens in each head.
    num_scores = math.prod(query.shape[:-1]) * key.shape[1]
    return num_scores * (query.shape[-1] + value.shape[-1])
