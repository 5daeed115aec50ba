"""What losses are tested with, yours as well as those of this library."""

from keras_distill.testing.check_distillation_loss import (
    check_distillation_loss,
)
from keras_distill.testing.gradient import gradient

__all__ = ["check_distillation_loss", "gradient"]
