"""Trains a model of several tasks, each on its own teacher and labels."""

import contextlib
import types
from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from keras_distill.callbacks.log_schedules import LogSchedules
from keras_distill.callbacks.monitors import check_monitors
from keras_distill.callbacks.stop_on_nan import with_nan_check
from keras_distill.checks.model_of import model_of
from keras_distill.data import MultiTaskBatches
from keras_distill.data import MultiTaskExamples
from keras_distill.distiller import Distiller
from keras_distill.io import show
from keras_distill.models import MultiTaskModel
from keras_distill.models.saving import SavedWhole
from keras_distill.train_steps.multi_task import MixedBatches
from keras_distill.train_steps.multi_task import Turns

_BATCH_SIZE = 32


class MultiTaskDistiller(SavedWhole, Turns, keras.Model):
    """Trains a model of several tasks, each on its own teacher and labels.

    It is used as any Keras model: `compile`, `fit`, `evaluate`, `predict`.
    A step is that of one task's batch. It updates the encoder, which all
    tasks share, and that task's head; the other heads and what the optimizer
    keeps of them stay as they are, bit for bit, weight decay or not. The
    training loss of a task is that of `keras_distill.Distiller`:

    `a * student_loss + (1 - a) * sum_i w_i * distillation_loss_i + R`

    A task without a teacher learns its labels alone: its step is that of
    `keras.Model.fit`.

    All tasks have one optimizer, whose step counts those of all, and a step
    costs what it would cost if its task were alone.

    What is measured of a task is logged under its name: `"mnli/loss"`,
    `"mnli/student_loss"`, `"mnli/logits_loss"`, `"mnli/accuracy"`, ...; of
    tasks that had a batch in the epoch, no others. `"loss"` is the mean over
    the examples of all.

    Args:
        student: `keras_distill.models.MultiTaskModel`. What is trained.
        teachers: Optional dict of the name of a task to its teacher, as
            `Distiller` takes it: a `keras.Model` or a
            `keras_distill.teachers.TeacherCache`. Or a `MultiTaskModel`,
            whose models teach the tasks that it has in common with the
            student. Defaults to none.
        distillation_losses: The losses of each task with a teacher, as
            `Distiller` takes them: for all of them, or a dict by task.
        distillation_loss_weights: Optional list of float or schedule, one for
            each loss: for all tasks with a teacher, or a dict by task.
            Defaults to 1 each.
        student_loss_weight: float between 0 and 1, or a schedule of it: `a`
            above, for all tasks with a teacher, or a dict by task. Without a
            teacher it is 1. Defaults to `0.5`, the average of both.
        name: str. Defaults to `"multi_task_distiller"`.
        teacher_training: bool, or dict of bool by task. Whether the teacher's
            dropout is on. Defaults to `False`.
        **kwargs: Further arguments of `keras.Model`.

    Attributes:
        student: The model that is trained.
        distillers: Mapping of the name of a task to its `Distiller`.
        trained_distillers: dict of those among them that are compiled.
        projections: dict of the name of a task to its projections.

    Raises:
        ValueError: If `student` is no `MultiTaskModel`, an argument is for a
            task that it does not have, or what `Distiller` finds, with the
            name of the task.

    Example:

    ```python
    import keras
    import keras_hub
    import keras_distill
    from keras_distill import losses
    from keras_distill import tasks

    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
    )


    def model(num_layers):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=7, num_layers=num_layers, num_heads=2,
            hidden_dim=4, intermediate_dim=8, max_sequence_length=8,
        )
        classifier = keras_hub.models.BertTextClassifier
        return keras_distill.models.MultiTaskModel({
            "sst2": classifier(backbone, num_classes=2),
            "stsb": classifier(backbone, num_classes=1),
        })


    def rows(texts, labels):
        return tasks.TokenizedExamples(
            tasks.Examples((texts,), labels), tokenizer, sequence_length=8
        )


    distiller = keras_distill.MultiTaskDistiller(
        model(num_layers=1),
        teachers={"sst2": model(num_layers=2).task_models["sst2"]},
        distillation_losses=losses.LogitsDistillation(loss="cross_entropy"),
    )
    distiller.compile(
        keras_distill.optimizers.AdamW(1e-3),
        loss={
            "sst2": keras.losses.SparseCategoricalCrossentropy(
                from_logits=True
            ),
            "stsb": "mse",
        },
        metrics={"sst2": ["accuracy"]},
    )
    examples = {
        "sst2": rows(["good", "bad"] * 4, [1, 0] * 4),
        "stsb": rows(["good good", "bad"], [5.0, 0.0]),
    }
    history = distiller.fit(examples, batch_size=2, epochs=2).history
    print(history["sst2/logits_loss"], history["stsb/loss"])
    ```
    """

    def __init__(
        self,
        student,
        teachers=None,
        distillation_losses=None,
        distillation_loss_weights=None,
        student_loss_weight=0.5,
        name="multi_task_distiller",
        teacher_training=False,
        **kwargs,
    ):
        student = model_of(student)
        if not isinstance(student, MultiTaskModel):
            raise ValueError(
                "`student` must be a keras_distill.models.MultiTaskModel. "
                f"Received: student={student!r}"
            )
        kwargs.setdefault("dtype", student.dtype_policy)
        super().__init__(name=name, **kwargs)
        self.student = student
        teachers = _teachers_of(teachers, student)
        if not teachers and distillation_losses:
            raise ValueError(
                "`distillation_losses` compare a task's model with its "
                "teacher. Received: losses and no teacher. Pass `teachers`, or "
                "no losses."
            )
        arguments = {
            name: _by_task(name, value, teachers, "`teachers`")
            for name, value in (
                ("distillation_losses", distillation_losses),
                ("distillation_loss_weights", distillation_loss_weights),
                ("student_loss_weight", student_loss_weight),
                ("teacher_training", teacher_training),
            )
        }
        distillers = {}
        for task, model in student.task_models.items():
            with _named(task):
                distillers[task] = _make_distiller(
                    model, teachers.get(task), task, arguments
                )
        # Past Keras's tracking: what is trained is the student and the
        # projections, and only they are saved.
        self.__dict__["distillers"] = types.MappingProxyType(distillers)
        self.__dict__["trained_distillers"] = {}
        self.projections = {
            task: distiller.projections
            for task, distiller in distillers.items()
        }
        self._logs = {}
        self.built = True

    @property
    def trainable_variables(self):
        """The student's and those of the projections."""
        found = {id(v): v for v in self.student.trainable_variables}
        for distiller in self.distillers.values():
            found |= {id(v): v for v in distiller.trainable_variables}
        return list(found.values())

    @property
    def trainable_weights(self):
        return self.trainable_variables

    @property
    def metrics(self):
        return [
            metric
            for distiller in self.trained_distillers.values()
            for metric in distiller.metrics
        ]

    def plan(self):
        """The match plan: what each task learns from what.

        Returns:
            list of str, at least one line for each task.
        """
        return [
            f"{task}: {line}"
            for task, distiller in self.distillers.items()
            for line in distiller.plan() or ["labels alone"]
        ]

    def build(self, input_shape=None):
        # Everything is built with the models themselves.
        self.built = True

    def call(self, inputs, task=None, training=None):
        return self.student(inputs, task=task, training=training)

    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        metrics=None,
        weighted_metrics=None,
        **kwargs,
    ):
        """Configures training, as `keras.Model.compile` does.

        Args:
            optimizer: As in Keras: one for all tasks.
            loss: The loss on the labels, for all tasks or as a dict by task.
                It may be left out of tasks whose `student_loss_weight` is 0.
                Another task that a dict leaves out is not trained.
            metrics: Optional list of metrics for all tasks, or dict of lists
                by task.
            weighted_metrics: The same, with the sample weights.
            **kwargs: `run_eagerly`, `jit_compile` and `auto_scale_loss`, as
                in Keras.

        Raises:
            ValueError: If the optimizer would change, in the step of one
                task, what belongs to another, or what `Distiller.compile`
                finds, with the name of the task.
        """
        allowed = {"run_eagerly", "jit_compile", "auto_scale_loss"}
        if kwargs.get("steps_per_execution", 1) == 1:
            kwargs.pop("steps_per_execution", None)
        if unknown := sorted(set(kwargs) - allowed):
            raise ValueError(
                "Several tasks are compiled with `optimizer`, `loss`, "
                f"`metrics`, `weighted_metrics`, {', '.join(sorted(allowed))}. "
                f"Received: {', '.join(f'{k}={kwargs[k]!r}' for k in unknown)}."
            )
        super().compile(optimizer=optimizer, **kwargs)
        _check_optimizer(self.optimizer)
        tasks = self.distillers
        losses, metrics, weighted_metrics = (
            _by_task(name, value, tasks, "the student")
            for name, value in (
                ("loss", loss),
                ("metrics", metrics),
                ("weighted_metrics", weighted_metrics),
            )
        )
        self.__dict__["trained_distillers"] = {
            task: distiller
            for task, distiller in tasks.items()
            if task in losses or distiller.student_loss_weight == 0
        }
        for task, distiller in self.trained_distillers.items():
            with _named(task):
                distiller.compile(
                    self.optimizer,
                    losses.get(task),
                    metrics=_own_metrics(metrics.get(task)),
                    weighted_metrics=_own_metrics(weighted_metrics.get(task)),
                    **kwargs,
                )

    def fit(
        self,
        x,
        batch_size=_BATCH_SIZE,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_data=None,
        shuffle=True,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_batch_size=None,
        validation_steps=None,
        validation_freq=1,
    ):
        """Trains the student, as `keras.Model.fit` does.

        The match plan is printed first unless `verbose` is 0. Training stops
        with a `FloatingPointError` when a loss is not finite, with the last
        good weights in place (`keras_distill.callbacks.StopOnNaN`).

        Args:
            x: dict of the name of a task to its `TokenizedExamples`; or
                `keras_distill.data.MultiTaskExamples`, which say how tasks
                are mixed as well; or their `batches`, in the order that they
                have. Tasks may be left out.
            batch_size: int. Rows per batch. Defaults to `32`.
            epochs: int. As in Keras. Defaults to `1`.
            verbose: As in Keras.
            callbacks: As in Keras.
            validation_data: Optional, as `x`. It is measured one task after
                the other, all of it, after each epoch.
            shuffle: bool. Whether the tasks are mixed, and their rows
                shuffled, anew in each epoch, by a seed that
                `keras.utils.set_random_seed` fixes. Defaults to `True`.
            initial_epoch: int. As in Keras. Defaults to `0`.
            steps_per_epoch: Optional int. As in Keras.
            validation_batch_size: Optional int. As in Keras.
            validation_steps: Optional int. As in Keras.
            validation_freq: As in Keras.

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: If a task's model or teacher cannot read its rows.
        """
        seed = int(np.random.randint(2**31)) if shuffle else 0
        batches = self._batches(
            x,
            batch_size,
            shuffle=bool(shuffle),
            seed=seed,
            initial_epoch=initial_epoch,
        )
        if validation_data is not None:
            validation_data = self._mixed(
                self._batches(
                    validation_data, validation_batch_size or batch_size
                )
            )
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [LogSchedules(), *with_nan_check(callbacks)]
        check_monitors(
            getattr(callbacks, "callbacks", callbacks),
            *self._logged_names(batches.examples),
            validation_data is not None,
        )
        if verbose:
            show("Match plan:", *self.plan())
        return super().fit(
            self._mixed(batches),
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
            shuffle=False,
        )

    def evaluate(
        self,
        x=None,
        batch_size=_BATCH_SIZE,
        verbose="auto",
        callbacks=None,
        **kwargs,
    ):
        """Measures losses and metrics of each task.

        Args:
            x: As `fit` takes it.
            batch_size: int. Rows per batch. Defaults to `32`.
            verbose: As in Keras.
            callbacks: As in Keras.
            **kwargs: `steps`, as in Keras.

        Returns:
            dict of name, such as `"mnli/accuracy"`, to float.
        """
        kwargs["return_dict"] = True
        if not kwargs.get("_use_cached_eval_dataset"):
            x = self._mixed(self._batches(x, batch_size))
        return super().evaluate(
            x, verbose=verbose, callbacks=callbacks, **kwargs
        )

    def predict(self, x, task, **kwargs):
        """A task's outputs, as `MultiTaskModel.predict` gives them."""
        return self.student.predict(x, task, **kwargs)

    def train_on_batch(self, *args, **kwargs):
        """A batch is one task's: see `distillers`."""
        raise ValueError(
            "A batch is one task's. Use `distillers[task].train_on_batch`, or "
            "`test_on_batch`."
        )

    test_on_batch = train_on_batch

    def scheduled_numbers(self):
        """What the schedules give at the optimizer's step.

        Returns:
            dict of name, such as `"mnli/student_loss_weight"`, to float.
        """
        return {
            f"{task}/{name}": value
            for task, distiller in self.distillers.items()
            for name, value in distiller.scheduled_numbers().items()
        }

    def build_metrics(self, batches):
        """Makes what is measured, as the first step of each task would.

        Args:
            batches: `keras_distill.data.MultiTaskBatches`.
        """
        for task in batches.examples:
            self.distillers[task].build_metrics(batches.first(task))

    def get_metrics_result(self):
        found, sums = {}, []
        for task, distiller in self.trained_distillers.items():
            # Of the batches since it was reset.
            tracker = distiller._loss_tracker
            total, count = (
                float(ops.convert_to_numpy(ops.convert_to_tensor(variable)))
                for variable in (tracker.total, tracker.count)
            )
            if count:
                sums.append((total, count))
                results = distiller.get_metrics_result()
                found |= {f"{task}/{k}": v for k, v in results.items()}
        if not found:
            return found
        totals, counts = zip(*sums, strict=True)
        return {"loss": sum(totals) / sum(counts), **found}

    def reset_metrics(self):
        super().reset_metrics()
        self._logs = {}

    def make_train_function(self, force=False):
        self._build_optimizer()
        for distiller in self.trained_distillers.values():
            distiller.make_train_function(force)
        self.train_function = self.make_turns("train")

    def make_test_function(self, force=False):
        for distiller in self.trained_distillers.values():
            distiller.make_test_function(force)
        self.test_function = self.make_turns("test")

    def step_of(self, task, kind):
        """The compiled step of a task's distiller, `"train"` or `"test"`."""
        return getattr(self.distillers[task], f"{kind}_function")

    def named_logs(self, task, logs):
        """The logs of a step, under its task's name, beside the last ones."""
        self._logs |= {f"{task}/{name}": value for name, value in logs.items()}
        return dict(self._logs)

    def save(self, *args, **kwargs):
        """Not there: teachers and losses of several tasks are no one file."""
        raise ValueError(
            "A MultiTaskDistiller is not saved as one file. Use "
            "`save_weights`, or save `distiller.student`."
        )

    def _batches(self, x, batch_size, **options):
        """What `fit` was given as batches that its models can read."""
        if isinstance(x, Mapping):
            x = MultiTaskExamples(x)
        if isinstance(x, MultiTaskExamples):
            x = x.batches(batch_size, **options)
        if not isinstance(x, MultiTaskBatches):
            raise ValueError(
                "`x` must be a dict of the name of a task to its tokenised "
                "examples, `keras_distill.data.MultiTaskExamples`, or their "
                f"`batches`. Received: {type(x).__name__}"
            )
        for task, rows in x.examples.items():
            if task in self.distillers and task not in self.trained_distillers:
                raise ValueError(
                    "`loss` must be given for each task that is trained. "
                    f"Received: none for task {task!r}."
                )
            if task not in self.distillers:
                raise ValueError(
                    f"The student '{self.student.name}' has the tasks "
                    f"{', '.join(self.distillers)}. Received: examples of "
                    f"task {task!r}."
                )
            with _named(task):
                self.distillers[task].check_rows(rows)
        return x

    def _mixed(self, batches):
        return MixedBatches(batches, getattr(self, "distribute_strategy", None))

    def _logged_names(self, tasks):
        """The names of the losses of some tasks in the logs, and of metrics."""
        losses, metrics = ["loss"], []
        for task in tasks:
            of_task, measured = self.distillers[task].logged_names()
            losses += [f"{task}/{name}" for name in of_task]
            metrics += [f"{task}/{name}" for name in measured]
        return losses, metrics

    def _build_optimizer(self):
        # For the variables of all tasks at once.
        if not self.optimizer.built:
            with self._scope():
                self.optimizer.build(self.trainable_variables)

    def _symbolic_build(self, iterator=None, data_batch=None):
        self.build_metrics(iterator.data_adapter.batches)
        self._build_optimizer()

    # What TensorFlow's `fit` calls.
    _maybe_symbolic_build = _symbolic_build

    def _get_metrics_result_or_logs(self, logs):
        # The logs of a step are of the tasks that had theirs so far.
        return self.get_metrics_result()


def _teachers_of(teachers, student):
    """The teachers by task."""
    if teachers is None:
        return {}
    if isinstance(teachers, MultiTaskModel):
        common = set(teachers.task_models) & set(student.task_models)
        if not common:
            raise ValueError(
                "`teachers` must have a task in common with the student, "
                f"{', '.join(student.task_models)}. Received: a model of "
                f"{', '.join(teachers.task_models)}."
            )
        return {
            task: model
            for task, model in teachers.task_models.items()
            if task in common
        }
    if not isinstance(teachers, Mapping):
        raise ValueError(
            "`teachers` must be a dict of the name of a task to its teacher, "
            f"or a MultiTaskModel. Received: {teachers!r}"
        )
    _check_tasks("teachers", teachers, student.task_models, "the student")
    return {t: each for t, each in teachers.items() if each is not None}


def _by_task(name, value, tasks, whose):
    """An argument by task: what is given for all, or those of a dict."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(tasks, value)
    _check_tasks(name, value, tasks, whose)
    return dict(value)


def _check_tasks(name, value, tasks, whose):
    for task in value:
        if task not in tasks:
            raise ValueError(
                f"`{name}` must be by task of {whose}: "
                f"{', '.join(tasks) or 'none'}. Received: {task!r} among "
                f"{', '.join(map(repr, value))}."
            )


def _make_distiller(model, teacher, task, arguments):
    """The distiller of one task."""
    given = {
        name: values[task]
        for name, values in arguments.items()
        if task in values
    }
    if teacher is None:
        return Distiller(None, model, None, student_loss_weight=1)
    if given.get("distillation_losses") is None:
        raise ValueError(
            "`distillation_losses` must be given for a task with a teacher. "
            "Received: none."
        )
    return Distiller(teacher, model, **given)


def _own_metrics(metrics):
    """Metrics of one task alone: what was given for all holds one state."""
    return keras.tree.map_structure(
        lambda metric: (
            type(metric).from_config(metric.get_config())
            if isinstance(metric, keras.metrics.Metric)
            else metric
        ),
        metrics,
    )


def _check_optimizer(optimizer):
    """Raises if a step of one task would change what is another's."""
    inner = optimizer
    while inner is not None:
        for name in ("use_ema", "gradient_accumulation_steps"):
            if getattr(inner, name, None):
                raise ValueError(
                    f"An optimizer with `{name}` works on all variables in "
                    "each step, those of other tasks among them. Received: "
                    f"{name}={getattr(inner, name)!r}. Leave it out."
                )
        inner = getattr(inner, "inner_optimizer", None)


@contextlib.contextmanager
def _named(task):
    """Has complaints name the task."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Task '{task}': {error}") from error


@model_of.register
def _(distiller: MultiTaskDistiller):
    return distiller.student
