"""What a distiller's steps have in common on all backends."""

import contextlib


class BaseSteps:
    """Where the backends differ outside of their steps."""

    def _scope(self):
        """The context in which variables are made."""
        return contextlib.nullcontext()

    def _num_replicas(self):
        """The number of parts that a batch is split into."""
        return 1

    def _update_variables(self, gradients, variables):
        self.optimizer.apply(gradients, variables)

    def _push_numbers(self, arguments, step=None):
        """Has the next run of a step read the numbers as they are now."""
        self._numbers.push(step)
        return arguments
