"""The distiller's steps on JAX."""

import itertools
import warnings

import jax
import keras

from keras_distill.features import names
from keras_distill.keras_patches import KeepsStateOfFailedSteps
from keras_distill.keras_patches import step_as_new
from keras_distill.keras_patches import steps_for
from keras_distill.keras_patches import values_in
from keras_distill.train_steps.base import BaseSteps


class JaxSteps(KeepsStateOfFailedSteps, BaseSteps):
    """`train_step` and `test_step` of a `Distiller` on JAX."""

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
        with step_as_new(self, "train_step"):
            return super().make_train_function(force)

    def make_test_function(self, force=False):
        with step_as_new(self, "test_step"):
            return super().make_test_function(force)

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
        """The loss to differentiate, and what else the step goes on with."""
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
            values_in(scope, self.non_trainable_variables),
            values_in(scope, self.metrics_variables),
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
            with warnings.catch_warnings(), steps_for(self.optimizer, self):
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
            values_in(scope, self.trainable_variables),
            values_in(scope, self.optimizer.variables),
        )

    def _stateless_logs(self, metrics, *batch):
        """The logs of a batch, and the metrics' state after it."""
        mapping = zip(self.metrics_variables, metrics, strict=True)
        with keras.StatelessScope(list(mapping)) as scope:
            logs = self._update_logs(*batch)
        return logs, values_in(scope, self.metrics_variables)
