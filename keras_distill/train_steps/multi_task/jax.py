"""Turns on JAX."""

import contextlib

import keras

from keras_distill.keras_patches import KeepsStateOfFailedSteps

# What a step takes and returns, by the kind of step.
_STATE = {
    "train": ("trainable", "non_trainable", "optimizer", "metrics"),
    "test": ("trainable", "non_trainable", "metrics"),
}


class JaxTurns(KeepsStateOfFailedSteps):
    """Has the distillers of several tasks take turns.

    A step takes and returns the values of one task's distiller alone: those
    of the other heads pass it by.
    """

    @property
    def non_trainable_variables(self):
        variables = super().non_trainable_variables
        known = {id(variable) for variable in self.variables}
        for distiller in self.distillers.values():
            for variable in distiller.non_trainable_variables:
                if id(variable) not in known:
                    known.add(id(variable))
                    variables.append(variable)
        return variables

    def make_turns(self, kind):
        """A function that Keras's loop calls for each step."""
        if keras.distribution.distribution() is not None:
            raise ValueError(
                "Several tasks are trained on one device on JAX. Received: a "
                "`keras.distribution`. Train without it, or under "
                "`tf.distribute` on TensorFlow."
            )
        places, sizes = {}, None

        def run(state, iterator):
            nonlocal sizes
            ((task, batch),) = next(iterator).items()
            if sizes != list(map(len, state)):
                # What is measured of a task is made when it is first seen.
                sizes = list(map(len, state))
                places.update(self._places(kind))
            part = tuple(
                [values[place] for place in of_task]
                for values, of_task in zip(state, places[task], strict=True)
            )
            logs, part = self.step_of(task, kind)(part, iter([batch]))
            state = tuple(map(list, state))
            for values, of_task, new in zip(
                state, places[task], part, strict=True
            ):
                for place, value in zip(of_task, new, strict=True):
                    values[place] = value
            return self.named_logs(task, logs), state

        return run

    def _places(self, kind):
        """Where the values of each task stand in the state of all."""
        wholes = [_variables(self, name) for name in _STATE[kind]]
        return {
            task: [
                _places_in(whole, _variables(distiller, name))
                for name, whole in zip(_STATE[kind], wholes, strict=True)
            ]
            for task, distiller in self.trained_distillers.items()
        }

    def _scope(self):
        return contextlib.nullcontext()


def _variables(model, name):
    if name == "optimizer":
        return model.optimizer.variables
    return getattr(model, f"{name}_variables")


def _places_in(whole, variables):
    place_of = {id(variable): place for place, variable in enumerate(whole)}
    return [place_of[id(variable)] for variable in variables]
