"""What losses and kinds of tasks are tested with, yours as well."""

from keras_distill.testing.check_distillation_loss import (
    check_distillation_loss,
)
from keras_distill.testing.check_task import check_task
from keras_distill.testing.gradient import gradient

__all__ = ["check_distillation_loss", "check_task", "gradient"]
