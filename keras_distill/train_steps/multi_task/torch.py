"""Turns on PyTorch."""

import contextlib


class TorchTurns:
    """Has the distillers of several tasks take turns."""

    def make_turns(self, kind):
        """A function that Keras's loop calls for each step."""

        def run(data):
            ((task, batch),) = data[0].items()
            return self.named_logs(task, self.step_of(task, kind)([batch]))

        return run

    def _scope(self):
        return contextlib.nullcontext()
