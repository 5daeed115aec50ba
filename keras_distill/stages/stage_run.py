"""Trains one stage from where it is."""

import time

import keras
import keras_hub

from keras_distill import callbacks
from keras_distill.multi_task_distiller import MultiTaskDistiller
from keras_distill.stages.checkpoints import assign_variables
from keras_distill.stages.checkpoints import begin_random
from keras_distill.stages.checkpoints import check_variables
from keras_distill.stages.checkpoints import read_random
from keras_distill.stages.checkpoints import read_variables
from keras_distill.stages.checkpoints import restore_random
from keras_distill.stages.identity import check_same_stage
from keras_distill.stages.identity import note_left
from keras_distill.stages.identity import start_of
from keras_distill.stages.recorder import Recorder
from keras_distill.stages.recorder import in_words
from keras_distill.stages.stage_result import StageResult
from keras_distill.train_steps import are_several_workers

_FORMAT = 1


class StageRun:
    """Trains one stage from where it is, and leaves its result."""

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
        """Trains the rest of the stage, or takes what it left."""
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
        begin_random(self.seed)
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
            lambda: self.request.is_made,
            self._interrupt,
            stage.total_steps,
            # The clocks of several workers would have them save, and so read
            # what they hold together, at different batches.
            within_epochs=not are_several_workers(self._model),
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
            for number, generator in enumerate(self._teacher_noise()):
                # Whatever the teacher has done before.
                generator.assign([(self.seed + number) % 2**32, 0])
            # From here on the same initial weights are used.
            self._save(0, 0)
            # Keras may draw while it builds, which a run that goes on from
            # here does at another time.
            before = read_random()
            self._callbacks.resume_at(0, None, lambda: restore_random(before))
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
        check_variables(self._model.variables, state["model"], "model")
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
            lambda: assign_variables(
                model.metrics_variables, state["metrics"], "metrics"
            ),
            lambda: restore_random(state["random"]),
        )
        assign_variables(model.variables, state["model"], "model")
        assign_variables(
            model.optimizer.variables, state["optimizer"], "optimizer"
        )
        self._restore_callbacks(state["callbacks"])
        if "teacher_noise" in state:
            assign_variables(
                self._teacher_noise(), state["teacher_noise"], "teacher"
            )
        # And again when the data are about to be read.
        restore_random(state["random"])

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
        batches = self.stage.batches(self.seed, self._epoch, self._batch)
        if isinstance(self._model, MultiTaskDistiller):
            self._model.build_metrics(batches)
            return
        batch = next(iter(batches))
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
        while self._epoch < stage.total_epochs and not self._stopped:
            _fit(
                model,
                stage.batches(self.seed, self._epoch, self._batch),
                initial_epoch=self._epoch,
                epochs=self._epoch + 1,
                verbose=0,
                shuffle=False,
                callbacks=self._callbacks,
            )
            if self._callbacks.trained is not None:
                # Its averages belong into the weights at the end of the
                # stage, and Keras has put them there after an epoch.
                assign_variables(
                    model.trainable_variables, self._callbacks.trained, "model"
                )
        model.optimizer.finalize_variable_values(model.trainable_variables)

    def _save(self, epoch, batch):
        """Writes a checkpoint."""
        model = self._model
        if keras.backend.backend() == "jax":
            # While it trains, JAX has the values elsewhere.
            model.jax_state_sync()
        stopped = bool(model.stop_training)
        noise = self._teacher_noise()
        self._place.write_checkpoint(
            {
                **({"teacher_noise": read_variables(noise)} if noise else {}),
                "format": _FORMAT,
                "stage": self._description,
                "epoch": epoch,
                "batch": batch,
                "stopped": stopped,
                "seconds": self._spent(),
                "model": read_variables(model.variables),
                "optimizer": read_variables(model.optimizer.variables),
                "metrics": read_variables(model.metrics_variables),
                "callbacks": [
                    [type(callback).__name__, callback.get_state()]
                    for callback in self._callbacks_with_state()
                ],
                "random": read_random(),
            }
        )
        self._epoch, self._batch, self._stopped = epoch, batch, stopped
        self._is_saved = True

    def _teacher_noise(self):
        """The generators of the teacher's dropout, where that is on."""
        return [
            variable
            for part in self.stage.parts
            if part.teacher_training
            for variable in part.teacher.variables
            if variable.path.endswith("seed_generator_state")
        ]

    def _interrupt(self):
        self.request.interrupt(
            f"Stopped in stage '{self.stage.name}'. {self._whats_left()}"
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
        if "step" in keep.best:
            kept += f", step {keep.best['step']}"
        if keep.keeps_start:
            kept = "what it started from, which no epoch was as good as"
        self.folder.say(
            f"Stage '{self.stage.name}' keeps {kept}: {in_words(keep.best)}"
        )
        return keep.best, keep.start


def _fit(model, *args, **kwargs):
    """Trains on batches that are tokenised already."""
    if isinstance(model, keras_hub.models.Task):
        # Its own `fit` would run its preprocessor on them.
        keras.Model.fit(model, *args, **kwargs)
    else:
        model.fit(*args, **kwargs)


def _has_averages(optimizer):
    """Whether an optimizer puts other values into the weights at the end."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return _has_averages(inner)
    of_keras = keras.optimizers.Optimizer.finalize_variable_values
    is_stock = type(optimizer).finalize_variable_values is of_keras
    return optimizer.use_ema or not is_stock


class EpochCallbacks(keras.callbacks.CallbackList):
    """Makes one training of a call of `fit` for each epoch."""

    # The callbacks see one beginning and one end, and batches numbered as if no
    # epoch had ever been interrupted.

    def __init__(self, callbacks, model, epochs, steps, total_steps):
        super().__init__(
            callbacks,
            add_history=True,
            model=model,
            epochs=epochs,
            steps=steps,
            total_steps=total_steps,
            verbose=0,
        )
        self._first_batch = 0
        self._before_epoch = self._before_batch = None
        # What was trained in an epoch, where Keras puts averages there.
        self.trained = None
        self._averaged = model if _has_averages(model.optimizer) else None

    def begin(self):
        """Tells the callbacks that training begins."""
        super().on_train_begin()

    def end(self):
        """Tells the callbacks that training is over."""
        super().on_train_end()

    def resume_at(self, first_batch, restore_metrics, restore_random):
        """Makes the next epoch the rest of one."""
        self._first_batch = first_batch
        if first_batch:
            # Keras sets metrics to zero at the beginning of an epoch, and
            # draws on some backends when it begins to read the data.
            self._before_epoch = restore_metrics
            self._before_batch = restore_random
        else:
            # Before it begins to read.
            self._before_epoch = restore_random

    def on_train_begin(self, logs=None):
        # Of an epoch.
        pass

    def on_train_end(self, logs=None):
        # Of an epoch.
        pass

    def on_epoch_begin(self, epoch, logs=None):
        if self._before_epoch is not None:
            self._before_epoch()
            self._before_epoch = None
        super().on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._first_batch = 0
        super().on_epoch_end(epoch, logs)
        if self._averaged is not None:
            self.trained = read_variables(self._averaged.trainable_variables)

    def on_train_batch_begin(self, batch, logs=None):
        if self._before_batch is not None:
            self._before_batch()
            self._before_batch = None
        super().on_train_batch_begin(self._first_batch + batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(self._first_batch + batch, logs)


class Checkpointer(keras.callbacks.Callback):
    """Saves a training when it is time, and when it shall stop."""

    # It stands last in the list of callbacks, so that it saves what the others
    # did.

    def __init__(
        self, save, every, stop, interrupt, total_steps, within_epochs
    ):
        super().__init__()
        self._save = save
        self._every = every
        self._stop = stop
        self._interrupt = interrupt
        self._total_steps = total_steps
        self._within_epochs = within_epochs
        self._saved_at = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        done, whole = batch + 1, self.params["steps"]
        if self._epoch * whole + done >= self._total_steps:
            self.model.stop_training = True
        # The end of the epoch saves by itself.
        if (
            self._within_epochs
            and done < whole
            and not self.model.stop_training
        ):
            self._save_if_due(done)

    def on_epoch_end(self, epoch, logs=None):
        self._save_now(epoch + 1, 0)

    def _save_if_due(self, done):
        late = time.monotonic() - self._saved_at >= self._every
        if late or self._stop():
            self._save_now(self._epoch, done)

    def _save_now(self, epoch, batch):
        self._save(epoch, batch)
        self._saved_at = time.monotonic()
        if self._stop():
            self._interrupt()
