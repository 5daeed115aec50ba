"""Weights and temperatures that may change while a student trains.

A compiled step would hold them as they were when it was made. Here it reads
them from a variable, which is set before each run of a step, and computes
those that follow a schedule from the optimizer's step.
"""

import keras
import numpy as np
from keras import ops

from keras_distill.checks.arguments import Number
from keras_distill.checks.numbers_or_schedules import check_number_or_schedule
from keras_distill.losses.objective import WEIGHT

SHARE = Number(float, minimum=0, maximum=1)


class TrainingNumbers:
    """The numbers of a distiller that may change, as its steps read them."""

    def __init__(self, distiller, objective):
        self._distiller = distiller
        self._objective = objective
        self._places = ["student_loss_weight"]
        self._places += [f"{name}_weight" for name in objective.term_names]
        self._of_losses = []
        for term, loss in zip(
            objective.term_names, objective.losses, strict=True
        ):
            for name in loss.changing_numbers:
                prefix = term.removesuffix("_loss")
                self._of_losses.append((loss, name))
                self._places.append(f"{prefix}_{name}")
        self.variable = keras.Variable(
            np.zeros(len(self._places), "float32"),
            trainable=False,
            name="training_numbers",
        )
        self._pushed = self._checked = None

    def check(self):
        """Raises unless each number is one that it may be."""
        check_number_or_schedule(
            "student_loss_weight",
            self._distiller.student_loss_weight,
            SHARE,
        )
        share = self._distiller.student_loss_weight
        if not self._objective.losses and share != 1:
            raise ValueError(
                "`student_loss_weight` must be 1 without a teacher. Received: "
                f"student_loss_weight={share!r}"
            )
        for weight in self._objective.weights:
            check_number_or_schedule(
                "distillation_loss_weights", weight, WEIGHT
            )
        for loss in self._objective.losses:
            loss.check_numbers()

    def structure(self):
        """What a compiled step holds, and must be made anew for."""
        share = self._distiller.student_loss_weight
        return (
            [value if callable(value) else None for value in self._values()],
            None if callable(share) else (share > 0, share < 1),
            [_other_settings(loss) for loss in self._objective.losses],
        )

    def push(self, step=None, assign=None):
        """Sets the variable to what the numbers are now."""
        given = self._values()
        if given != self._checked:
            self.check()
            self._checked = given
        values = [
            0.0
            if callable(value) and step is None
            else float(value(step) if callable(value) else value)
            for value in given
        ]
        if values == self._pushed:
            return
        (assign or self.variable.assign)(np.array(values, "float32"))
        self._pushed = values

    def forget(self):
        """Has the next `push` set the variable, whatever it holds."""
        self._pushed = None

    def read(self, step=None, held=None):
        """The numbers as a step sees them."""
        if held is None:
            held = ops.convert_to_tensor(self.variable)
        values = [
            ops.cast(value(step), "float32")
            if callable(value) and step is not None
            else held[place]
            for place, value in enumerate(self._values())
        ]
        count = len(self._objective.losses)
        losses = {id(loss): {} for loss in self._objective.losses}
        for (loss, name), value in zip(
            self._of_losses, values[1 + count :], strict=True
        ):
            losses[id(loss)][name] = value
        return (
            values[0],
            values[1 : 1 + count],
            [
                loss.with_numbers(losses[id(loss)])
                for loss in self._objective.losses
            ],
        )

    @property
    def follow_schedules(self):
        """Whether any of the numbers follows a schedule."""
        return any(callable(value) for value in self._values())

    def now(self):
        """The numbers without those that follow a schedule, which are 0."""
        return [0.0 if callable(v) else float(v) for v in self._values()]

    def scheduled(self, step):
        """The numbers that follow a schedule, at a step."""
        return {
            name: float(value(step))
            for name, value in zip(self._places, self._values(), strict=True)
            if callable(value)
        }

    def _values(self):
        return [
            self._distiller.student_loss_weight,
            *self._objective.weights,
            *(getattr(loss, name) for loss, name in self._of_losses),
        ]


def _other_settings(loss):
    """Plain attributes of a loss, which a compiled step holds as they were."""
    found = {}
    for holder in (loss, getattr(loss, "loss", None)):
        for name, value in getattr(holder, "__dict__", {}).items():
            if name not in loss.changing_numbers and isinstance(
                value, (bool, int, float, str, tuple, type(None))
            ):
                found[type(holder).__name__, name] = value
    return found
