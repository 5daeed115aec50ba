"""What a distiller's steps have in common on all backends."""

import contextlib


class BaseSteps:
    """Where the backends differ outside of their steps."""

    def _scope(self):
        """The context in which variables are made."""
        return contextlib.nullcontext()

    def _num_replicas(self):
        """The number of parts that a batch is split into.

        Keras divides a compiled loss by it.
        """
        return 1

    def _push_numbers(self, arguments, step=None):
        """Has the next run of a step read the numbers as they are now.

        Args:
            arguments: tuple of what the run is called with.
            step: Optional int. The step that schedules are computed for.

        Returns:
            The arguments to call it with.
        """
        self._numbers.push(step)
        return arguments

    @staticmethod
    def mend(model):
        """Lets a stock Keras model train wherever a distiller does."""

    @staticmethod
    def remake_functions(model):
        """Has a model's steps compiled anew where what they read changed.

        A compiled training step holds which variables are trained.
        """
        model.make_train_function(force=True)

    @staticmethod
    def assign(variables, values):
        """Sets variables within a step.

        Args:
            variables: list of `keras.Variable`.
            values: list of tensors.
        """
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    @staticmethod
    def are_several_workers(model):
        """Whether a model trains on several workers at once."""
        return False
