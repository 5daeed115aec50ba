"""A training in phases, each of which trains other variables."""

import contextlib
import dataclasses
import itertools

import keras

from keras_distill.checks.arguments import Number
from keras_distill.io import show
from keras_distill.optimizers.rate_scale_optimizer import (
    find_rate_scale_optimizer,
)
from keras_distill.train_steps import Steps
from keras_distill.train_steps import remake_functions


@dataclasses.dataclass(frozen=True)
class Phase:
    """What is trained for some time."""

    name: str
    variables: tuple


class Phases(keras.callbacks.Callback):
    """A training in phases, each of which trains other variables.

    The optimizer is built for all variables that the phases train, so that
    its moments are kept from one phase to the next; in each step it gets the
    gradients of those that train now. A
    `keras_distill.optimizers.RateScaleOptimizer` counts the steps of those
    that join late by themselves, which Adam does not. The compiled step is
    made anew when a phase begins: what is frozen costs no backward pass.

    What was trainable before training is trainable again after it. When it is
    interrupted, `Distiller.fit` and a `keras_distill.stages.Stage` see to
    that; with `fit` of another Keras model, call `release()`. The plan is
    printed when training begins, unless `verbose` is 0, and so is advice on
    an Adam that is not wrapped.

    Args:
        epochs: Optional int or sequence of int: the epochs of each phase, or
            of each but the last where that goes on until training ends.
        steps: Optional int or sequence of int: the same in steps. With
            `steps_per_execution` a phase begins with the next execution.
    """

    def __init__(self, epochs=None, steps=None):
        super().__init__()
        self.epochs = _as_lengths("epochs", epochs)
        self.steps = _as_lengths("steps", steps)
        self._trainable = self._frozen = ()
        self._scaler = None
        self._reset()

    def plan(self, model):
        """When each phase begins, and what it is about.

        Args:
            model: The `Distiller` or other `keras.Model` that is trained, as
                it is before training.

        Returns:
            list of str, one for each phase.
        """
        return self._in_words(self._find_phases(model))

    def get_config(self):
        """What the phases follow from, as far as JSON goes."""
        return {"epochs": self.epochs, "steps": self.steps}

    def get_state(self):
        """What the callback remembers, for a run that goes on later."""
        return {"steps": self._done}

    def set_state(self, state):
        """Remembers what `get_state` returned.

        Args:
            state: dict.
        """
        self._done = int(state["steps"])

    def on_train_begin(self, logs=None):
        # A training that was interrupted had no end.
        self._free_all()
        self._reset()
        model = self.model
        optimizer = model.optimizer
        _check_optimizer(optimizer)
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        self._scaler = find_rate_scale_optimizer(optimizer)
        self._phases = self._find_phases(model)
        self._ends = self._find_ends(self._phases)
        self._trainable = tuple(model.trainable_variables)
        if self.params and self.params.get("verbose"):
            show("Phases:", *self._in_words(self._phases))
            if self._scaler is None and len(self._phases) > 1:
                _advise(optimizer)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._enter_due()

    def on_train_batch_begin(self, batch, logs=None):
        self._batch = batch
        self._enter_due()

    def on_train_batch_end(self, batch, logs=None):
        # With `steps_per_execution` batches come several at once.
        self._done += batch - self._batch + 1

    def on_train_end(self, logs=None):
        self.release()

    def release(self):
        """Sets free what the current phase froze.

        It is done at the end of training, and when `Distiller.fit` or a
        stage is interrupted. After an interrupted `fit` of another Keras
        model, call it before the model is trained without the callback.
        """
        if self._trainable:
            # On JAX, asking for the model puts the state of the last step
            # into its variables, by what was trainable then.
            model = self.model
            self._leave(model)
            remake_functions(model)

    def _leave(self, model):
        """Undoes what a phase did to a model."""
        del model
        self._free_all()

    def _find_phases(self, model):
        """The phases of a training."""
        raise NotImplementedError

    def _enter(self, model, phase):
        """Begins a phase: freezes all that it does not train."""
        chosen = {id(variable) for variable in phase.variables}
        self._frozen = tuple(
            variable
            for variable in self._trainable
            if id(variable) not in chosen
        )
        for variable in phase.variables:
            variable.trainable = True
        for variable in self._frozen:
            variable.trainable = False
        if self._scaler is not None:
            first = {id(variable) for variable in self._phases[0].variables}
            self._scaler.count_own_steps(
                [v for v in phase.variables if id(v) not in first]
            )

    def _number_due(self):
        """The number of the phase, from 0, at this point of training."""
        position = self._done if self.steps is not None else self._epoch
        return sum(position >= end for end in self._ends)

    def _enter_due(self):
        due = self._number_due()
        if due != self._number:
            # On JAX, asking for the model puts the state of the last step
            # into its variables, by what was trainable then.
            model = self.model
            self._enter(model, self._phases[due])
            remake_functions(model)
            self._number = due

    def _find_ends(self, phases):
        """Where each phase but the last ends, in epochs or steps."""
        count = len(phases) - 1
        for name in ("epochs", "steps"):
            lengths = getattr(self, name)
            if lengths is None:
                continue
            if isinstance(lengths, int):
                lengths = [lengths] * count
            if len(lengths) != count:
                raise ValueError(
                    f"`{name}` must be one int, or one for each of the "
                    f"{count} phases that end. Received: "
                    f"{name}={list(lengths)}"
                )
            return list(itertools.accumulate(lengths))
        return []

    def _in_words(self, phases):
        if self.steps is None and self.epochs is None:
            return [f"phase {i}: {p.name}" for i, p in enumerate(phases, 1)]
        unit, first = ("step", 0) if self.epochs is None else ("epoch", 1)
        begins = [0, *self._find_ends(phases)]
        return [
            f"from {unit} {first + begin}: {phase.name}"
            for begin, phase in zip(begins, phases, strict=True)
        ]

    def _free_all(self):
        # No more than that: you may have frozen other parts since.
        for variable in self._frozen:
            variable.trainable = True
        self._trainable = self._frozen = ()

    def _reset(self):
        self._number = None
        self._phases = self._ends = ()
        self._done = self._epoch = self._batch = 0


@contextlib.contextmanager
def released_if_interrupted(callbacks):
    """Has phases set free what they froze if training ends by an exception."""
    try:
        yield
    except BaseException:
        for callback in getattr(callbacks, "callbacks", callbacks):
            if isinstance(callback, Phases):
                callback.release()
        raise


def is_distiller(model):
    """Whether a model is a `Distiller`, a module that imports this one."""
    return isinstance(model, Steps)


def check_one_length(**lengths):
    """Raises unless one of some arguments is given."""
    if sum(value is not None for value in lengths.values()) != 1:
        names = [f"`{name}`" for name in lengths]
        received = ", ".join(f"{k}={v!r}" for k, v in lengths.items())
        raise ValueError(
            f"Give either {' or '.join(names)}. Received: {received}"
        )


def _as_lengths(name, lengths):
    if lengths is None or _is_length(lengths):
        return lengths
    if not isinstance(lengths, (list, tuple)) or not all(
        _is_length(length) for length in lengths
    ):
        raise ValueError(
            f"`{name}` must be an int of 1 or more, or a list of such. "
            f"Received: {name}={lengths!r}"
        )
    return tuple(lengths)


_is_length = Number(int, minimum=1).accepts


def _advise(optimizer):
    """Says so if variables that join late will move too far."""
    while (inner := getattr(optimizer, "inner_optimizer", None)) is not None:
        optimizer = inner
    if isinstance(optimizer, keras.optimizers.Adam):
        name = type(optimizer).__name__
        show(
            f"{name} moves variables that are trained from a later phase on up "
            "to 6.6 times too far at first. This counts their steps: "
            "keras_distill.optimizers.RateScaleOptimizer(optimizer)"
        )


def _check_optimizer(optimizer):
    inner = optimizer
    while inner is not None:
        if inner.use_ema:
            raise ValueError(
                "An optimizer with `use_ema=True` averages all variables it "
                "was built for, which Keras cannot do while some of them are "
                "frozen. Received: such an optimizer. Leave `use_ema` out."
            )
        inner = getattr(inner, "inner_optimizer", None)
