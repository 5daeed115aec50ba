"""The distiller's steps on PyTorch."""

import keras
import torch

from keras_distill.features import names
from keras_distill.train_steps.base import BaseSteps


class TorchSteps(BaseSteps):
    """`train_step` and `test_step` of a `Distiller` on PyTorch."""

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        forward = self._trained
        with torch.no_grad():
            teacher = forward.run_teacher(x)
        for variable in self.trainable_variables:
            variable.value.grad = None
        student = forward.student(x, training=True)
        loss, terms = self._loss_and_terms(
            forward,
            teacher,
            student,
            y,
            sample_weight,
            self.optimizer.iterations,
        )
        if loss.requires_grad:
            self.optimizer.scale_loss(loss).backward()
        gradients = [v.value.grad for v in self.trainable_variables]
        with torch.no_grad():
            self._apply_gradients(gradients)
            return self._update_logs(
                x, y, sample_weight, student.get(names.OUTPUTS), loss, terms
            )

    def test_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        teacher, student = self._whole.run(x, training=False)
        loss, terms = self._loss_and_terms(
            self._whole, teacher, student, y, sample_weight
        )
        return self._update_logs(
            x, y, sample_weight, student[names.OUTPUTS], loss, terms
        )
