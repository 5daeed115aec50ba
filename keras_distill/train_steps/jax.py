"""The distiller's steps on JAX."""

import contextlib
import itertools
import warnings

import jax
import keras

from keras_distill.features import names
from keras_distill.train_steps.base import BaseSteps


class JaxSteps(BaseSteps):
    """`train_step` and `test_step` of a `Distiller` on JAX.

    Keras's steps on JAX are functions of a state that they take and return.
    The teacher's variables travel in it, as variables that are not trained:
    what a compiled step finds elsewhere becomes a constant of the program,
    compiled into it and kept twice.
    """

    @property
    def non_trainable_variables(self):
        variables = super().non_trainable_variables
        known = {id(variable) for variable in self.variables}
        return [
            *variables,
            *(v for v in self._teacher_variables() if id(v) not in known),
            # The last one, where `_push_numbers` finds it.
            self._numbers.variable,
        ]

    def _push_numbers(self, arguments, step=None):
        (trainable, non_trainable, *others), *rest = arguments
        non_trainable = list(non_trainable)

        def assign(values):
            # While it trains, the state is not in the variables.
            non_trainable[-1] = jax.numpy.asarray(values)

        self._numbers.push(step, assign)
        return [(trainable, non_trainable, *others), *rest]

    def make_train_function(self, force=False):
        # Looks into the student, whose variables hold nothing in a step.
        self.reached_variables()
        with _as_new(self, "train_step"):
            return super().make_train_function(force)

    def make_test_function(self, force=False):
        with _as_new(self, "test_step"):
            return super().make_test_function(force)

    @staticmethod
    def remake_functions(model):
        # Its steps take and return what is trained and what is not apart.
        _let_some_train(model)
        model.make_train_function(force=True)
        model.test_function = model.predict_function = None

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

    def _get_jax_state(self, purge_model_variables=False, **parts):
        state = super()._get_jax_state(
            purge_model_variables=purge_model_variables, **parts
        )
        if purge_model_variables:
            # Keras takes the values out of the variables and puts back what
            # a step returns. A step that fails would leave models without
            # values, so that one bad batch would cost all weights.
            asked = [name for name, is_asked in parts.items() if is_asked]
            self._jax_state = dict(zip(asked, state, strict=True))
        return state

    def train_step(self, state, data):
        trainable, non_trainable, optimizer_variables, metrics = state
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        gradient_of = jax.value_and_grad(self._stateless_loss, has_aux=True)
        (_, (batch, non_trainable, metrics)), gradients = gradient_of(
            trainable,
            non_trainable,
            metrics,
            optimizer_variables,
            x,
            y,
            sample_weight,
            training=True,
        )
        trainable, optimizer_variables = self._stateless_apply(
            trainable, optimizer_variables, gradients
        )
        logs, metrics = self._stateless_logs(
            metrics, x, y, sample_weight, *batch
        )
        return logs, (trainable, non_trainable, optimizer_variables, metrics)

    def test_step(self, state, data):
        trainable, non_trainable, metrics = state
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        _, (batch, non_trainable, metrics) = self._stateless_loss(
            trainable,
            non_trainable,
            metrics,
            None,
            x,
            y,
            sample_weight,
            training=False,
        )
        logs, metrics = self._stateless_logs(
            metrics, x, y, sample_weight, *batch
        )
        return logs, (trainable, non_trainable, metrics)

    def _stateless_loss(
        self,
        trainable,
        non_trainable,
        metrics,
        optimizer_variables,
        x,
        y,
        sample_weight,
        training,
    ):
        """The loss to differentiate, and what else the step goes on with.

        That is `(outputs, loss, terms)` of the batch, and the variables that
        are not trained and the metrics' as they are then: a compiled loss of
        several outputs counts each of them.
        """
        mapping = [
            *zip(self.trainable_variables, trainable, strict=True),
            *zip(self.non_trainable_variables, non_trainable, strict=True),
            *zip(self.metrics_variables, metrics, strict=True),
        ]
        if training:
            # The loss scale of mixed_float16 is one of them.
            mapping += zip(
                self.optimizer.variables, optimizer_variables, strict=True
            )
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            forward = self._trained if training else self._whole
            teacher, student = forward.run(x, training)
            loss, terms = self._loss_and_terms(
                forward,
                teacher,
                student,
                y,
                sample_weight,
                self.optimizer.iterations if training else None,
            )
            scaled_loss = self.optimizer.scale_loss(loss) if training else loss
        return scaled_loss, (
            (student.get(names.OUTPUTS), loss, terms),
            _current(scope, self.non_trainable_variables),
            _current(scope, self.metrics_variables),
        )

    def _stateless_apply(self, trainable, optimizer_variables, gradients):
        """Updates the variables that the losses reach."""
        # JAX gives zeros to a variable that no loss reaches, with which
        # weight decay and momentum would go on.
        reached = {id(variable) for variable in self.reached_variables()}
        gradients = [
            gradient if id(variable) in reached else None
            for variable, gradient in zip(
                self.trainable_variables, gradients, strict=True
            )
        ]
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            # It steps or not as gradients turn out, which on JAX it can do
            # in its stateless way only.
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Gradients do not exist")
                return self.optimizer.stateless_apply(
                    optimizer_variables, gradients, trainable
                )
        mapping = itertools.chain(
            zip(self.trainable_variables, trainable, strict=True),
            zip(self.optimizer.variables, optimizer_variables, strict=True),
        )
        with keras.StatelessScope(list(mapping)) as scope:
            self._apply_gradients(gradients)
        return (
            _current(scope, self.trainable_variables),
            _current(scope, self.optimizer.variables),
        )

    def _stateless_logs(self, metrics, *batch):
        """The logs of a batch, and the metrics' state after it."""
        mapping = zip(self.metrics_variables, metrics, strict=True)
        with keras.StatelessScope(list(mapping)) as scope:
            logs = self._update_logs(*batch)
        return logs, _current(scope, self.metrics_variables)


@contextlib.contextmanager
def _as_new(model, name):
    """Lets a model's step be compiled anew, while the block runs.

    JAX takes equal methods for the same function and may run what it compiled
    when other variables of the same shapes were trained.
    """
    step = getattr(model, name)
    model.__dict__[name] = lambda state, data: step(state, data)
    try:
        yield
    finally:
        del model.__dict__[name]


def _let_some_train(model):
    """Lets an optimizer step for those of its variables that are trained.

    Keras's stateless step wants a value of every one that it was built for.
    """
    optimizer = model.optimizer
    while isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer

    def stateless_apply(optimizer_variables, gradients, values):
        variables = model.trainable_variables
        mapping = itertools.chain(
            zip(variables, values, strict=True),
            zip(optimizer.variables, optimizer_variables, strict=True),
        )
        with keras.StatelessScope(list(mapping)) as scope:
            optimizer.apply(gradients, variables)
        return (
            _current(scope, variables),
            _current(scope, optimizer.variables),
        )

    optimizer.stateless_apply = stateless_apply


def _current(scope, variables):
    """The values of variables at the end of a stateless scope."""
    return [
        variable.value if value is None else value
        for variable in variables
        for value in [scope.get_current_value(variable)]
    ]
