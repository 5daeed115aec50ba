"""Trains one stage from where it is."""

import contextlib
import time

import keras

from keras_distill import callbacks
from keras_distill.stages import random_state
from keras_distill.stages import variables
from keras_distill.stages.checkpointer import Checkpointer
from keras_distill.stages.epoch_callbacks import EpochCallbacks
from keras_distill.stages.interruption import Interrupted
from keras_distill.stages.recorder import Recorder
from keras_distill.stages.recorder import in_words
from keras_distill.stages.stage_folder import check_same_stage
from keras_distill.stages.stage_result import StageResult
from keras_distill.stages.weights_identity import note_left
from keras_distill.stages.weights_identity import start_of
from keras_distill.train_steps import Steps

_FORMAT = 1


class StageRun:
    """Trains one stage from where it is, and leaves its result.

    Args:
        stage: `Stage`.
        folder: `RunFolder`.
        seed: int. Seed of the stage and of the order of its data.
        data: dict. What tells the data of the stage from others.
        is_seeded: bool. Whether the process had set a seed.
        checkpoint_every: float. Seconds between two checkpoints.
        request: `StopRequest`.
    """

    def __init__(
        self, stage, folder, seed, data, is_seeded, checkpoint_every, request
    ):
        self.stage = stage
        self.folder = folder
        self.seed = seed
        self.checkpoint_every = checkpoint_every
        self.request = request
        self._place = folder.stage(stage.name)
        self._key = (str(folder.path.resolve()), stage.name)
        self._start = start_of(stage.student, self._key, is_seeded)
        self._description = {
            **stage.describe(),
            "identity": stage.identity(seed, data, self._start),
        }
        # Where the last checkpoint stands: epochs, and batches in the next.
        self._epoch = self._batch = 0
        self._is_saved = False
        self._stopped = False
        self._seconds = 0.0

    def run(self):
        """Trains the rest of the stage, or takes what it left.

        Returns:
            `StageResult`.
        """
        try:
            return self._load() if self._place.is_done() else self._train()
        except OSError as error:
            raise OSError(
                error.errno,
                f"Stage '{self.stage.name}' stopped: "
                f"{error.strerror or error}. {self._whats_left()}",
            ) from error
        finally:
            note_left(self.stage.student, self._key, self._start)

    def _load(self):
        result, is_known = self._place.load(
            self.stage.student, self._description
        )
        self._say_if_old(is_known)
        self.folder.say(
            f"Stage '{self.stage.name}' is done, its weights are reused"
        )
        return result

    def _say_if_old(self, is_known):
        if not is_known:
            self.folder.say(
                f"Stage '{self.stage.name}' was saved by an earlier version, "
                "which did not note its data, teacher and start: they are "
                "taken to be the same"
            )

    def _train(self):
        random_state.begin(self.seed)
        with self.stage.only_trainable():
            self._build()
            self._callbacks.begin()
            try:
                self._resume()
                self._fit()
            finally:
                # Whatever ends training, the terminal is left in order.
                if self._progress is not None:
                    self._progress.on_train_end()
            self._callbacks.end()
            if self.stage.keep != "last":
                # It has the last word, whatever the others put back.
                self.stage.keep.on_train_end()
        best, start = self._measured()
        result = StageResult(self._recorder.history, self._spent(), best, start)
        self._place.finish(result, self.stage.student, self._description)
        return result

    def _build(self):
        stage = self.stage
        self._model = stage.build()
        self._recorder = Recorder(
            stage.name,
            self.folder,
            stage.steps_per_epoch,
            None if stage.keep == "last" else stage.keep,
        )
        self._progress = None
        if not self.folder.quiet:
            self._progress = callbacks.Progress(f"Stage '{stage.name}'")
        self._checkpointer = Checkpointer(
            self._save,
            self.checkpoint_every,
            lambda: self.request.signal_number is not None,
            self._interrupt,
            stage.total_steps,
            # The clocks of several workers would have them save, and so read
            # what they hold together, at different batches.
            within_epochs=not Steps.are_several_workers(self._model),
        )
        used = [
            callbacks.StopOnNaN(),
            # Before the stage's own, so that these see what it measured.
            None if stage.keep == "last" else stage.keep,
            *stage.callbacks,
            self._recorder,
            self._progress,
            self._checkpointer,
        ]
        self._callbacks = EpochCallbacks(
            [callback for callback in used if callback is not None],
            self._model,
            epochs=stage.total_epochs,
            steps=stage.steps_per_epoch,
            total_steps=stage.total_steps,
        )

    def _resume(self):
        """Goes on from the last checkpoint, or writes the first one."""
        state, complaints = self._place.checkpoints.read()
        for complaint in complaints:
            self.folder.say(f"{complaint} The one before it is used.")
        self._begin = time.monotonic()
        if state is not None and self._is_of_a_failed_start(state):
            state = None
        if state is None:
            self._announce("begins")
            # From here on the same initial weights are used.
            self._save(0, 0)
            # Keras may draw while it builds, which a run that goes on from
            # here does at another time.
            before = random_state.read()
            self._callbacks.resume_at(
                0, None, lambda: random_state.restore(before)
            )
            return
        try:
            self._restore(state)
        # The file is what was written, but who knows by which program.
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            raise ValueError(
                f"The last checkpoint of stage '{self.stage.name}' cannot be "
                f"used: {error}"
            ) from error
        self._announce(f"goes on after {self._where()}")

    def _is_of_a_failed_start(self, state):
        """Whether it is the start alone, of a stage that is another one now."""
        if [state.get("epoch"), state.get("batch")] != [0, 0]:
            return False
        try:
            check_same_stage(state.get("stage"), self._description)
        except ValueError:
            self._place.forget_checkpoints()
            return True
        return False

    def _restore(self, state):
        if state["format"] != _FORMAT:
            raise ValueError(
                f"its format is {state['format']!r}, not {_FORMAT!r}. Use the "
                "version of keras_distill that wrote it."
            )
        # What another model is shows best in its weights.
        variables.check(self._model.variables, state["model"], "model")
        self._say_if_old(check_same_stage(state["stage"], self._description))
        self._epoch, self._batch = self._place_in_data(state)
        self._stopped = bool(state["stopped"])
        self._seconds = float(state["seconds"])
        self._is_saved = True
        model = self._model
        if self._batch:
            self._make_metrics(state["metrics"])
        self._callbacks.resume_at(
            self._batch,
            lambda: variables.assign(
                model.metrics_variables, state["metrics"], "metrics"
            ),
            lambda: random_state.restore(state["random"]),
        )
        variables.assign(model.variables, state["model"], "model")
        variables.assign(
            model.optimizer.variables, state["optimizer"], "optimizer"
        )
        self._restore_callbacks(state["callbacks"])
        # And again when the data are about to be read.
        random_state.restore(state["random"])

    def _place_in_data(self, state):
        epoch, batch = int(state["epoch"]), int(state["batch"])
        if not (
            0 <= epoch <= self.stage.total_epochs
            and 0 <= batch < self.stage.steps_per_epoch
        ):
            raise ValueError(f"there is no batch {batch} in epoch {epoch + 1}")
        return epoch, batch

    def _make_metrics(self, values):
        """Makes the metrics that Keras makes in the first step only."""
        if keras.backend.backend() != "tensorflow" or len(
            self._model.metrics_variables
        ) >= len(values):
            return
        batch = next(
            iter(self.stage.batches(self.seed, self._epoch, self._batch))
        )
        keras.Model.test_on_batch(
            self._model, *keras.utils.unpack_x_y_sample_weight(batch)
        )

    def _restore_callbacks(self, states):
        with_state = self._callbacks_with_state()
        names = [type(callback).__name__ for callback in with_state]
        known = [name for name, _ in states]
        if names != known:
            raise ValueError(
                f"the callbacks with a state were {', '.join(known)}; now "
                f"they are {', '.join(names)}. Put them back as they were."
            )
        for callback, (_, state) in zip(with_state, states, strict=True):
            callback.set_state(state)

    def _callbacks_with_state(self):
        return [
            callback
            for callback in self._callbacks.callbacks
            if hasattr(callback, "get_state")
        ]

    def _fit(self):
        """Trains one epoch after the other."""
        model, stage = self._model, self.stage
        with _finalized_at_end(model):
            while self._epoch < stage.total_epochs and not self._stopped:
                _fit(model)(
                    stage.batches(self.seed, self._epoch, self._batch),
                    initial_epoch=self._epoch,
                    epochs=self._epoch + 1,
                    verbose=0,
                    shuffle=False,
                    callbacks=self._callbacks,
                )

    def _save(self, epoch, batch):
        """Writes a checkpoint."""
        model = self._model
        if hasattr(model, "jax_state_sync"):
            # While it trains, JAX has the values elsewhere.
            model.jax_state_sync()
        stopped = bool(model.stop_training)
        self._place.write_checkpoint(
            {
                "format": _FORMAT,
                "stage": self._description,
                "epoch": epoch,
                "batch": batch,
                "stopped": stopped,
                "seconds": self._spent(),
                "model": variables.read(model.variables),
                "optimizer": variables.read(model.optimizer.variables),
                "metrics": variables.read(model.metrics_variables),
                "callbacks": [
                    [type(callback).__name__, callback.get_state()]
                    for callback in self._callbacks_with_state()
                ],
                "random": random_state.read(),
            }
        )
        self._epoch, self._batch, self._stopped = epoch, batch, stopped
        self._is_saved = True

    def _interrupt(self):
        raise Interrupted(
            f"Stopped in stage '{self.stage.name}'. {self._whats_left()}",
            self.request.signal_number,
        )

    def _whats_left(self):
        state = "has nothing saved yet"
        if self._is_saved:
            state = f"is saved up to {self._where()}"
        return (
            f"The stage {state}, in {self.folder.path}. The same command goes "
            f"on from there: {self.folder.command}"
        )

    def _where(self):
        epochs = self.stage.total_epochs
        if not self._batch:
            return f"epoch {self._epoch} of {epochs}"
        return (
            f"batch {self._batch} of {self.stage.steps_per_epoch} in epoch "
            f"{self._epoch + 1} of {epochs}"
        )

    def _announce(self, what):
        stage = self.stage
        lines = [
            f"Stage '{stage.name}' {what}: {stage.total_epochs} epochs, "
            f"{stage.total_steps} steps"
        ]
        if stage.teacher is not None:
            lines += self._model.plan()
        self.folder.say(*lines)

    def _spent(self):
        return self._seconds + time.monotonic() - self._begin

    def _measured(self):
        """The measures of what is kept, and of what the stage started from."""
        keep = self.stage.keep
        if keep == "last":
            return None, None
        kept = f"epoch {keep.best['epoch']}"
        if keep.keeps_start:
            kept = "what it started from, which no epoch was as good as"
        self.folder.say(
            f"Stage '{self.stage.name}' keeps {kept}: {in_words(keep.best)}"
        )
        return keep.best, keep.start


def _fit(model):
    # KerasHub's own `fit` would run its preprocessor on the batches, which
    # are tokenised already; a Distiller has a `fit` of its own.
    if hasattr(model, "preprocessor"):
        return keras.Model.fit.__get__(model)
    return model.fit


@contextlib.contextmanager
def _finalized_at_end(model):
    """Puts the optimizer's averages into the weights once, not each epoch."""
    optimizer = model.optimizer
    finalize = optimizer.finalize_variable_values
    optimizer.finalize_variable_values = lambda variables: None
    try:
        yield
    finally:
        del optimizer.finalize_variable_values
    finalize(model.trainable_variables)
