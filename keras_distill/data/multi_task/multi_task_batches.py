"""Single-task batches of several tasks, one epoch after the other."""


class MultiTaskBatches:
    """Single-task batches of several tasks, one epoch after the other.

    A pass over it gives the NumPy batches of an epoch, each as a dict of the
    name of its task alone: `{"mnli": (x, y)}`. An epoch counts when its last
    batch was handed out; a pass that is given up begins again.
    `MultiTaskExamples.batches` makes it.

    Attributes:
        examples: dict of the name of a task to its rows.
        makers: dict of the name of a task to its `BatchMaker`.
    """

    def __init__(
        self, examples, makers, plan, count, initial_epoch=0, first_batch=None
    ):
        self.examples = examples
        self.makers = makers
        self._plan = plan
        self._count = count
        self._epoch = initial_epoch
        self._first_batch = first_batch

    def __len__(self):
        return self._count - (self._first_batch or 0)

    def __iter__(self):
        for task, rows in self.turns():
            yield {task: self.makers[task].read(rows)}

    def turns(self, begin=None):
        """Whose turn it is in a pass.

        Args:
            begin: Optional function that is given all turns of the pass when
                it begins.

        Yields:
            Name of a task and an array of its row numbers.
        """
        turns = self._plan(self._epoch)[self._first_batch or 0 :]
        if begin is not None:
            begin(turns)
        for number, turn in enumerate(turns, start=1):
            if number == len(turns) and self._first_batch is None:
                self._epoch += 1
            yield turn

    def first(self, task):
        """A batch of a task, which takes no turn."""
        maker = self.makers[task]
        return maker.read(maker.plan(0)[0])
