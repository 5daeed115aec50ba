"""What is patched in Keras, each with the issue that it works around.

`tests/test_keras_patches.py` tells of each when Keras does without. Whatever
is changed in place belongs to a model; a user's optimizer is changed for the
time of one step, while it is traced, at most.
"""

import contextlib
import functools
import itertools

import keras
from keras import ops
from keras.src.optimizers import base_optimizer

# === keras-team/keras#20585: `fit` on several workers of `tf.distribute` ===


def are_several(strategy):
    """Whether a `tf.distribute.Strategy` spans several workers."""
    import tensorflow as tf

    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and strategy.extended._in_multi_worker_mode()
    )


class FitsOnSeveralWorkers:
    """Lets a `keras.Model` train on several workers; it is one of its bases."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        batch = _first_part(self, iterator, data_batch)
        super()._maybe_symbolic_build(data_batch=batch)

    def _make_function(self, step_function):
        if are_several(self.distribute_strategy):
            return _function_of_workers(self, step_function)
        return super()._make_function(step_function)


def fit_on_several_workers(model):
    """Lets a model of another class do what `FitsOnSeveralWorkers` does."""
    if not are_several(model.distribute_strategy):
        return
    build = model._maybe_symbolic_build

    def maybe_symbolic_build(iterator=None, data_batch=None):
        build(data_batch=_first_part(model, iterator, data_batch))

    model._maybe_symbolic_build = maybe_symbolic_build
    model._make_function = functools.partial(_function_of_workers, model)


def _first_part(model, iterator, data_batch):
    """What the first replica gets of a batch, which shows its shape.

    Keras would average the parts of a batch over the replicas, which fails
    for several workers and for parts of different sizes.
    """
    strategy = model._distribute_strategy
    if strategy is None or iterator is None:
        return data_batch
    for _, _, batches in iterator:
        return keras.tree.map_structure(
            lambda part: strategy.experimental_local_results(part)[0],
            next(batches),
        )
    return data_batch


def _function_of_workers(model, step_function):
    """Keras's loop over steps, with logs that several workers can give.

    Keras averages them over an axis that they do not have. In the logs of a
    batch stands what this worker has seen; those of an epoch are read from
    the metrics' variables, which sum over the workers.
    """
    import tensorflow as tf

    strategy = model.distribute_strategy

    def one_step(data):
        results = strategy.run(step_function, args=(data,))
        return keras.tree.map_structure(
            lambda value: strategy.experimental_local_results(value)[0],
            results,
        )

    if not model.run_eagerly:
        one_step = tf.function(
            one_step, reduce_retracing=True, jit_compile=model.jit_compile
        )

    def steps(iterator):
        results = one_step(next(iterator))
        for _ in range(model.steps_per_execution - 1):
            try:
                data = next(iterator)
            except StopIteration:
                break
            results = one_step(data)
        return results

    return steps


# === `tf.distribute`: an optimizer clips what one replica has ===
# Keras clips, and adds up for `gradient_accumulation_steps`, before it sums
# over the replicas, and decides within each of them whether a sum is due,
# which `tf.distribute` refuses.


@contextlib.contextmanager
def steps_for_all_replicas(optimizer):
    """Within, an optimizer takes gradients that are sums over the replicas.

    Args:
        optimizer: `keras.optimizers.Optimizer`, which steps in each replica.
    """
    inner = optimizer
    while hasattr(inner, "inner_optimizer"):
        inner = inner.inner_optimizer
    # The replicas go through the block in turns: each of them may be the
    # first to enter, and the first to leave.
    vars(inner)["_all_reduce_sum_gradients"] = lambda pairs: pairs
    base_optimizer.ops = _OpsOfReplicas()
    try:
        yield
    finally:
        vars(inner).pop("_all_reduce_sum_gradients", None)
        base_optimizer.ops = ops


class _OpsOfReplicas:
    """`keras.ops` with a condition that is one for all replicas."""

    def __getattr__(self, name):
        return getattr(ops, name)

    def cond(self, condition, if_true, if_false):
        import tensorflow as tf

        def once(strategy, condition, if_true, if_false):
            def run(branch):
                strategy.extended.call_for_each_replica(
                    lambda of_replica: of_replica(), args=(branch,)
                )

            ops.cond(
                strategy.experimental_local_results(condition)[0],
                lambda: run(if_true),
                lambda: run(if_false),
            )

        tf.distribute.get_replica_context().merge_call(
            once, args=(condition, if_true, if_false)
        )


# === keras-team/keras#18692: a token that stands in a batch more than once ===
# On TensorFlow the gradient of a table has a row for each place, and what is
# not linear, such as Adam's square or the norm for clipping, is done to each:
# a token in four places moves up to twice as far as the rate says, the one
# segment of 2,048 pieces up to 45 times.


def summed(gradients):
    """The same gradients, in tables summed over the places of a row."""
    if keras.backend.backend() != "tensorflow":
        return gradients
    import tensorflow as tf

    return [
        tf.convert_to_tensor(gradient)
        if isinstance(gradient, tf.IndexedSlices)
        else gradient
        for gradient in gradients
    ]


class SumsGradients:
    """Lets an optimizer step with sums; it is one of its bases."""

    def apply(self, grads, trainable_variables=None):
        super().apply(summed(grads), trainable_variables)


# === JAX: an optimizer steps for all that it was built for, or not at all ===
# Keras's stateless step refuses other numbers of variables; as of
# keras-team/keras#22104 it heeds what is trainable when `fit` begins alone.


class SomeTrained(keras.optimizers.Optimizer):
    """Steps for those variables of a model that are trained now.

    It stands in for the model's own optimizer, which stays as it is.
    """

    def __init__(self, inner_optimizer, model):
        super().__init__(learning_rate=0.0)
        self.inner_optimizer = inner_optimizer
        self._model = model
        self.built = True
        if not inner_optimizer.built:
            # For all at once: more may be trained later.
            inner_optimizer.build(model.trainable_variables)

    @property
    def variables(self):
        return self.inner_optimizer.variables

    @property
    def iterations(self):
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list):
        self.inner_optimizer.finalize_variable_values(var_list)

    def apply(self, grads, trainable_variables=None):
        self.inner_optimizer.apply(grads, trainable_variables)

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        variables = self._model.trainable_variables
        mapping = itertools.chain(
            zip(variables, trainable_variables, strict=True),
            zip(self.variables, optimizer_variables, strict=True),
        )
        with keras.StatelessScope(list(mapping)) as scope:
            self.inner_optimizer.apply(grads, variables)
        return (
            values_in(scope, variables),
            values_in(scope, self.variables),
        )


def train_some(model):
    """Has a model's optimizer step for what is trained now, on JAX.

    Once all that it was built for is trained, the optimizer is in its place
    again. Of one that Keras wraps for `mixed_float16` the inner one is meant.
    """
    holder, name = model, "optimizer"
    if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        holder, name = model.optimizer, "inner_optimizer"
    optimizer = getattr(holder, name)
    if isinstance(optimizer, SomeTrained):
        optimizer = optimizer.inner_optimizer
    is_whole = len(model.trainable_variables) == len(
        optimizer._trainable_variables
    )
    setattr(
        holder, name, optimizer if is_whole else SomeTrained(optimizer, model)
    )


@contextlib.contextmanager
def steps_for(optimizer, model):
    """Within, a `LossScaleOptimizer` steps for a model's variables alone.

    It may be that of several models, built for the variables of all.
    """
    inner = optimizer.inner_optimizer
    if not isinstance(inner, SomeTrained):
        optimizer.inner_optimizer = SomeTrained(inner, model)
    try:
        yield
    finally:
        optimizer.inner_optimizer = inner


def values_in(scope, variables):
    """The values of variables at the end of a stateless scope."""
    return [
        variable.value if value is None else value
        for variable in variables
        for value in [scope.get_current_value(variable)]
    ]


# === JAX: a step that fails leaves a model without values ===
# Keras takes the values out of the variables while it trains and puts back
# what a step returns, so that one bad batch would cost all weights.


class KeepsStateOfFailedSteps:
    """Keeps a `keras.Model`'s values on JAX; it is one of its bases."""

    def _get_jax_state(self, purge_model_variables=False, **parts):
        state = super()._get_jax_state(
            purge_model_variables=purge_model_variables, **parts
        )
        if purge_model_variables:
            asked = [name for name, is_asked in parts.items() if is_asked]
            self._jax_state = dict(zip(asked, state, strict=True))
        return state

    def evaluate(self, *args, **kwargs):
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self.jax_state_sync()

    def predict(self, *args, **kwargs):
        try:
            return super().predict(*args, **kwargs)
        finally:
            self.jax_state_sync()


# === JAX: a step that is made anew runs what was compiled before ===
# `jax.jit` takes equal methods for the same function, and Keras jits the
# method itself, whatever variables are trained by now.


@contextlib.contextmanager
def step_as_new(model, name):
    """Has a model's step compiled anew, while the block makes it."""
    step = getattr(model, name)
    model.__dict__[name] = lambda state, data: step(state, data)
    try:
        yield
    finally:
        del model.__dict__[name]


# === A dense layer that was loaded quantized cannot be saved ===
# It has the map of all layers' policies, in which Keras looks for the layer's
# own without the layer's path.


@contextlib.contextmanager
def resolved_policies(model):
    """Gives a model's quantized layers their own policy while it is saved."""
    with_map = [
        layer
        for layer in model._flatten_layers(include_self=False)
        if isinstance(
            getattr(layer, "dtype_policy", None),
            keras.dtype_policies.DTypePolicyMap,
        )
        and layer.quantization_mode is not None
    ]
    maps = [layer.dtype_policy for layer in with_map]
    for layer in with_map:
        layer._dtype_policy = layer.dtype_policy[layer.path]
    try:
        yield
    finally:
        for layer, policy in zip(with_map, maps, strict=True):
            layer._dtype_policy = policy
