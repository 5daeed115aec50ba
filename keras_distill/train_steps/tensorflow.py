"""The distiller's steps on TensorFlow, under any `tf.distribute` strategy."""

import keras
import tensorflow as tf

from keras_distill.features import names
from keras_distill.keras_patches import FitsOnSeveralWorkers
from keras_distill.keras_patches import steps_for_all_replicas
from keras_distill.keras_patches import summed
from keras_distill.train_steps.base import BaseSteps

# What an optimizer does to gradients that is no sum over the rows.
_OF_WHOLE_BATCH = (
    *("clipnorm", "clipvalue", "global_clipnorm"),
    "gradient_accumulation_steps",
)


class TensorFlowSteps(FitsOnSeveralWorkers, BaseSteps):
    """`train_step` and `test_step` of a `Distiller` on TensorFlow."""

    def train_step(self, data):
        data, num_rows = _never_empty(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        forward = self._trained
        teacher = forward.run_teacher(x)
        with tf.GradientTape() as tape:
            student = forward.student(x, training=True)
            loss, terms = self._loss_and_terms(
                forward,
                teacher,
                student,
                y,
                sample_weight,
                self.optimizer.iterations,
            )
            scaled_loss = self.optimizer.scale_loss(_part(loss, num_rows))
        self._apply_gradients(
            summed(tape.gradient(scaled_loss, self.trainable_variables))
        )
        return self._logs(num_rows, data, student, loss, terms)

    def test_step(self, data):
        data, num_rows = _never_empty(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        teacher, student = self._whole.run(x, training=False)
        loss, terms = self._loss_and_terms(
            self._whole, teacher, student, y, sample_weight
        )
        return self._logs(num_rows, data, student, loss, terms)

    def _update_variables(self, gradients, variables):
        replica = tf.distribute.get_replica_context()
        if not tf.distribute.has_strategy() or not _is_of_whole_batch(
            self.optimizer
        ):
            super()._update_variables(gradients, variables)
            return

        gradients = replica.all_reduce("SUM", list(gradients))
        with steps_for_all_replicas(self.optimizer):
            super()._update_variables(gradients, variables)

    def _logs(self, num_rows, data, student, loss, terms):
        batch = (data, student.get(names.OUTPUTS))
        if num_rows is not None:
            # Without the row that stands in for none.
            batch = keras.tree.map_structure(
                lambda part: None if part is None else part[:num_rows], batch
            )
        data, outputs = batch
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        return self._update_logs(x, y, sample_weight, outputs, loss, terms)

    def _scope(self):
        return self.distribute_strategy.scope()

    def _num_replicas(self):
        return tf.distribute.get_strategy().num_replicas_in_sync


def _is_of_whole_batch(optimizer):
    """Whether an update needs the gradients of all replicas first.

    Keras clips what each replica has, and adds up as well, before the sum
    over the replicas. (The optimizer that scales a loss steps within a
    replica alone.)
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return False
    while optimizer is not None:
        for name in _OF_WHOLE_BATCH:
            if getattr(optimizer, name, None) is not None:
                return True
        optimizer = getattr(optimizer, "inner_optimizer", None)
    return False


def _never_empty(data):
    """Gives a replica without rows one of zeros, and the rows it has."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return data, None
    parts = keras.tree.flatten(data)
    num_rows = tf.shape(parts[0])[0]
    missing = tf.maximum(1 - num_rows, 0)

    def pad(part):
        if part is None:
            return None
        rows = [[0, missing], *[[0, 0]] * (len(part.shape) - 1)]
        return tf.pad(part, rows)

    return keras.tree.map_structure(pad, data), num_rows


def _part(loss, num_rows):
    """What the rows of a replica add to the mean over the whole batch."""
    if num_rows is None:
        return loss
    replica = tf.distribute.get_replica_context()
    num_rows = tf.cast(num_rows, loss.dtype)
    return loss * num_rows / replica.all_reduce("SUM", num_rows)
