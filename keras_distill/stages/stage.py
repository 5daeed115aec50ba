"""One stage of a run: what is trained, on what, for what and how long."""

import contextlib
import json
import re
import warnings

import keras

from keras_distill.callbacks import KeepBest
from keras_distill.checks.arguments import check_int
from keras_distill.checks.model_of import model_of
from keras_distill.checks.numbers_or_schedules import check_number_or_schedule
from keras_distill.checks.values import num_outputs
from keras_distill.distiller import Distiller
from keras_distill.features import describe
from keras_distill.fitting.compile_checks import check_compiled
from keras_distill.losses.objective import as_losses
from keras_distill.losses.objective import as_weights
from keras_distill.multi_task_distiller import MultiTaskDistiller
from keras_distill.stages import identity
from keras_distill.stages.parts import examples_of
from keras_distill.stages.parts import has_several_tasks
from keras_distill.stages.parts import stage_parts
from keras_distill.stages.parts import teachers_of
from keras_distill.stages.validation import keep_best
from keras_distill.stages.validation import selected_measures
from keras_distill.students.parts import parts_of
from keras_distill.students.parts import select
from keras_distill.teachers.cache.fingerprint import architecture
from keras_distill.teachers.checks import check_label_order
from keras_distill.train_steps import mend
from keras_distill.train_steps.training_numbers import SHARE

# What Windows takes for a device, in any case and with any ending.
_RESERVED = {
    *("con", "prn", "aux", "nul"),
    *(port + number for port in ("com", "lpt") for number in "0123456789¹²³"),
}


class Stage:
    """One stage of a run: what is trained, on what, for what and how long.

    With a `teacher` and `distillation_losses` the student is trained by a
    `keras_distill.Distiller`; without, on the labels alone by `loss`.

    A `keras_distill.models.MultiTaskModel` as student is trained by a
    `keras_distill.MultiTaskDistiller`, on
    `keras_distill.data.MultiTaskExamples`. Then `teacher`, `task` and
    `validation` are dicts by task, and what is said of losses, weights and
    metrics is for all tasks, or a dict by task as well. Tasks that are not in
    `teacher` learn their labels alone.

    Args:
        name: str. Names the stage in logs and folders.
        student: `keras.Model`. What is trained.
        train: What it is trained on: `keras_distill.tasks.TokenizedExamples`,
            or anything with its `batches` and `num_batches`. The order of the
            batches must follow from seed and epoch alone.
        teacher: Optional teacher, as `Distiller` takes it.
        distillation_losses: Optional loss or losses, as `Distiller` takes
            them.
        distillation_loss_weights: Optional list of float or schedule, one for
            each loss. Defaults to 1 each.
        student_loss_weight: Optional float between 0 and 1, or a schedule of
            it, the share of the loss on the labels. Defaults to that of
            `Distiller`.
        teacher_training: bool. Whether the teacher's dropout is on, as
            `Distiller` takes it. Its random numbers follow from the seed of
            the run. Defaults to `False`.
        loss: Optional Keras loss on the labels.
        metrics: Optional list of Keras metrics.
        optimizer: Keras optimizer of this stage alone or its name, or a
            function that makes one from the number of steps of the stage, as
            learning rates that run down need it.
        epochs: Optional int. Passes over the data.
        steps: Optional int. Batches in all, instead of `epochs`.
        batch_size: int. Examples in a batch. Defaults to `32`.
        class_weight: Optional dict of a class, by its index or its name, to
            how much an example of it counts, 0 or more; classes left out
            count 1. Or `"balanced"`: each class counts the same in all, by
            scikit-learn's formula. As in Keras's `fit`, it is a weight of the
            whole example: of the loss on the labels and of the distillation
            losses alike. Of tags each word is weighed in both. Names need
            examples that `Task.tokenize` made. Defaults to `None`: all
            examples count the same.
        batch_options: Optional dict of further arguments of
            `train.batches`, such as `{"length_multiple": 8}`.
        trainable: Optional list of parts of the student by name, such as
            `"head"` and `"layer.3"` (see `keras_distill.students.parts_of`;
            `"encoder"` is all below the head), and of its layers; or a
            function that gives it for the student. Only they are trained in
            this stage, and the distiller's projections. Defaults to all that
            is trainable.
        validation: Optional examples, as `train`, by which the epochs are
            chosen: they are measured before the first epoch and after each,
            and the student has the best one's weights after the stage.
        task: Optional `keras_distill.tasks.Task`, whose metrics of the
            student are measured on `validation`.
        select_by: Optional str. The measure that chooses: a metric of `task`,
            of which more is better, or `"loss"`, the loss of what is trained.
            Defaults to the task's `selection_metric`, without `task` to
            `"loss"`. Of several tasks, also a list of those whose mean
            chooses, by name, such as `["mnli", "rte"]`, or by name and
            metric, such as `["mnli/accuracy"]`. The mean is measured as
            `"mean"`. It defaults to that of all in `task`.
        patience: Optional int. The stage ends after so many epochs that were
            not better on `validation`. Defaults to `None`: it does not.
        evaluate_every: Optional int. The student is measured on `validation`
            after every so many batches as well, counted from the beginning of
            the stage. Defaults to `None`: after each epoch alone.
        keep: `"last"`, or a `keras_distill.callbacks.KeepBest`: which
            weights the student has after the stage, where it is not chosen by
            `validation`. Defaults to `"last"`.
        callbacks: sequence of Keras callbacks. One that remembers something
            needs `get_state()`, which returns it as plain values and arrays,
            and `set_state(state)`, which takes it when a run goes on. One
            that the weights depend on may have a `get_config()`, with which
            a run that goes on must agree. Defaults to none.
        compile_options: Optional dict of further arguments of
            `keras.Model.compile`, such as `{"jit_compile": True}`.

    Raises:
        ValueError: If the arguments do not go together.

    Example:

    ```python
    import keras
    from keras_distill import stages
    from keras_distill import tasks
    import keras_hub

    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
    )
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=7, num_layers=1, num_heads=2, hidden_dim=4,
        intermediate_dim=8,
    )
    examples = tasks.Examples((["good", "bad"] * 4,), [1, 0] * 4)
    stage = stages.Stage(
        "labels",
        student=keras_hub.models.BertTextClassifier(backbone, num_classes=2),
        train=tasks.TokenizedExamples(examples, tokenizer, 8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=lambda steps: keras.optimizers.AdamW(1e-3),
        epochs=2,
        batch_size=4,
    )
    print(stage.total_steps)
    ```
    """

    def __init__(
        self,
        name,
        student,
        train,
        *,
        optimizer,
        teacher=None,
        distillation_losses=None,
        distillation_loss_weights=None,
        student_loss_weight=None,
        teacher_training=False,
        loss=None,
        metrics=None,
        epochs=None,
        steps=None,
        batch_size=32,
        class_weight=None,
        batch_options=None,
        trainable=None,
        validation=None,
        task=None,
        select_by=None,
        patience=None,
        evaluate_every=None,
        keep="last",
        callbacks=(),
        compile_options=None,
    ):
        self.name = name
        self.student = model_of(student)
        self.train = examples_of(self, "train", train)
        self.optimizer = optimizer
        self.teacher = teachers_of(self, teacher)
        self.distillation_losses = distillation_losses
        self.distillation_loss_weights = distillation_loss_weights
        self.student_loss_weight = student_loss_weight
        self.teacher_training = teacher_training
        self.loss = loss
        self.metrics = metrics
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.batch_options = dict(batch_options or {})
        self.trainable = trainable
        self.validation = examples_of(self, "validation", validation)
        self.task = task
        self.select_by = select_by
        self.patience = patience
        self.evaluate_every = evaluate_every
        self.keep = keep
        self.callbacks = tuple(callbacks)
        self.compile_options = dict(compile_options or {})
        self._check_train()
        self.parts = stage_parts(self, teacher)
        self._check()
        if validation is not None:
            self.keep = keep_best(self)

    @property
    def steps_per_epoch(self):
        """The batches of an epoch."""
        options = {}
        if "drop_remainder" in self.batch_options:
            options["drop_remainder"] = self.batch_options["drop_remainder"]
        return self.train.num_batches(self.batch_size, **options)

    @property
    def total_steps(self):
        """The batches of the whole stage."""
        if self.steps is not None:
            return self.steps
        return self.epochs * self.steps_per_epoch

    @property
    def total_epochs(self):
        """The epochs of the stage, the last one not whole if `steps` say so."""
        return -(-self.total_steps // self.steps_per_epoch)

    def batches(self, seed, epoch, first_batch=0):
        """The rest of an epoch, as Keras's `fit` takes it.

        Args:
            seed: int. Seed of the order.
            epoch: int. Number of the epoch, from 0.
            first_batch: int. The batches that are left out. Defaults to `0`.
        """
        return self._weighted.batches(
            self.batch_size,
            shuffle=True,
            seed=seed,
            initial_epoch=epoch,
            first_batch=first_batch,
            **self.batch_options,
        )

    def build(self):
        """Builds and compiles what is trained.

        Returns:
            `Distiller`, or the student itself, with a built optimizer.
        """
        if self.teacher is None and not has_several_tasks(self):
            model = self.student
            check_compiled(describe(model), self.loss, [self.metrics])
            mend(model)
        else:
            model = self._distiller()
        model.compile(
            optimizer=self._make_optimizer(),
            loss=self.loss,
            # None would leave a KerasHub task the accuracy that it is made
            # with, in a regression too.
            metrics=self.metrics or [],
            **self.compile_options,
        )
        model.optimizer.build(model.trainable_variables)
        return model

    @contextlib.contextmanager
    def only_trainable(self):
        """Freezes what this stage does not train, while the block runs.

        What its callbacks freeze is set free as well when the block ends.
        """
        trained = self.student.trainable_variables
        for variable in self._to_freeze():
            variable.trainable = False
        try:
            yield
        finally:
            for variable in trained:
                variable.trainable = True

    def describe(self):
        """All of the stage that its results depend on, as far as JSON goes.

        Returns:
            dict. Names are left out: Keras counts up those that it makes.
        """
        description = {
            "name": self.name,
            "steps": self.total_steps,
            "steps_per_epoch": self.steps_per_epoch,
            "batch_size": self.batch_size,
            "batch_options": self.batch_options,
            "has_teacher": self._taught(),
            "distillation_losses": _serialized(self.distillation_losses),
            "distillation_loss_weights": _serialized(
                self.distillation_loss_weights
            ),
            "student_loss_weight": _serialized(self.student_loss_weight),
            "loss": _serialized(self.loss),
            "optimizer": _serialized(self._make_optimizer()),
            "frozen_weights": len(self._to_freeze()),
            "keep": _rule(self.keep),
        }
        if self.teacher_training:
            description["teacher_training"] = True
        if self.class_weight is not None:
            weights = self._weighted.class_weight
            description["class_weight"] = [
                f"{weight:.6g}" for weight in weights
            ]
        configs = [
            [_type_name(callback), callback.get_config()]
            for callback in self.callbacks
            if hasattr(callback, "get_config")
        ]
        if configs:
            description["callbacks"] = configs
        # As it will be when it is read again: without tuples and the like.
        return json.loads(json.dumps(description, default=_type_name))

    def identity(self, seed, data, start):
        """What makes the stage that stage, beside `describe`.

        Call it when the stage begins: teacher and student are looked at as
        they are.

        Args:
            seed: int. The seed of the run.
            data: dict, what `identity.data_identity` returned for `train`.
            start: dict, what the student's weights are.

        Returns:
            dict that JSON can hold.
        """
        optimizer = self._make_optimizer()
        found = {
            "seed": seed,
            "data": data,
            "start": start,
            "student": architecture(self.student, is_trained=True),
            "teacher": self._of_parts(identity.teacher_identity),
            "trains": identity.trained_weights(self.student, self._to_freeze()),
            "learning_rates": identity.rates(optimizer, self.total_steps),
            "without_weight_decay": identity.decay_exceptions(optimizer),
            "metrics": _serialized(self.metrics),
            "compile_options": {
                name: _serialized(value)
                for name, value in self.compile_options.items()
            },
            "code": identity.code_identity(self, optimizer),
        }
        return json.loads(json.dumps(found, default=_type_name))

    def _distiller(self):
        arguments = {
            "distillation_loss_weights": self.distillation_loss_weights,
            "teacher_training": self.teacher_training,
        }
        if self.student_loss_weight is not None:
            arguments["student_loss_weight"] = self.student_loss_weight
        if has_several_tasks(self):
            arguments["distillation_losses"] = self.distillation_losses
            return MultiTaskDistiller(self.student, self.teacher, **arguments)
        return Distiller(
            self.teacher, self.student, self.distillation_losses, **arguments
        )

    def _taught(self):
        """Whether there is a teacher; of several tasks, which have one."""
        if has_several_tasks(self):
            return sorted(self.teacher or ())
        return self.teacher is not None

    def _of_parts(self, function):
        """What a function gives of the only task, or of each by its name."""
        if has_several_tasks(self):
            return {part.name: function(part) for part in self.parts}
        return function(self.parts[0])

    def _make_optimizer(self):
        is_optimizer = isinstance(self.optimizer, keras.optimizers.Optimizer)
        if callable(self.optimizer) and not is_optimizer:
            return self.optimizer(self.total_steps)
        return keras.optimizers.get(self.optimizer)

    def _to_freeze(self):
        if self.trainable is None:
            return []
        chosen = self.trainable
        if callable(chosen):
            chosen = chosen(self.student)
        is_named = any(isinstance(one, str) for one in chosen)
        parts = parts_of(self.student) if is_named else {}
        trained = {id(v) for v in select(parts, chosen)}
        variables = self.student.trainable_variables
        frozen = [v for v in variables if id(v) not in trained]
        if len(frozen) == len(variables):
            raise ValueError(
                "`trainable` must give parts or layers of the student that "
                "have trainable weights. Received, for stage "
                f"'{self.name}': {[getattr(x, 'name', x) for x in chosen]}"
            )
        return frozen

    def _check_train(self):
        _check_name(self.name)
        if not hasattr(self.train, "num_batches"):
            raise ValueError(
                f"`train` of stage '{self.name}' must be tokenised: "
                "keras_distill.tasks.TokenizedExamples(examples, tokenizer, "
                f"sequence_length). Received: {type(self.train).__name__}. "
                "The stage makes the batches by itself, in an order that it "
                "can take up again."
            )

    def _check(self):
        for part in self.parts:
            self._check_losses(part)
        if (self.epochs is None) == (self.steps is None):
            raise ValueError(
                f"Stage '{self.name}' needs either `epochs` or `steps`. "
                f"Received: epochs={self.epochs}, steps={self.steps}"
            )
        for word in ("epochs", "steps"):
            length = getattr(self, word)
            check_int(word, length, minimum=1, optional=True)
        check_int("batch_size", self.batch_size, minimum=1)
        for part in self.parts:
            if part.student_loss_weight is not None:
                check_number_or_schedule(
                    "student_loss_weight", part.student_loss_weight, SHARE
                )
        if self.keep != "last" and not isinstance(self.keep, KeepBest):
            raise ValueError(
                '`keep` must be "last" or a `keras_distill.callbacks.'
                f"KeepBest`. Received: keep={self.keep!r}"
            )
        self._check_validation()
        if not self.steps_per_epoch:
            raise ValueError(
                f"`train` of stage '{self.name}' must have a batch at least. "
                "Received: none"
            )
        self._check_data()
        self._weighted = self._weigh()

    def _weigh(self):
        """What it is trained on, with the weights of classes, if any."""
        if self.class_weight is None:
            return self.train
        if not hasattr(self.train, "with_class_weight"):
            raise ValueError(
                "`class_weight` is for `TokenizedExamples`. Received, for "
                f"stage '{self.name}': `train` of type "
                f"{type(self.train).__name__}; let its batches be `(x, y, "
                "sample_weight)`."
            )
        width = num_outputs(self.student)
        try:
            if width is None:
                raise ValueError(
                    "`class_weight` needs a student whose number of classes "
                    "can be told from its output."
                )
            return self.train.with_class_weight(self.class_weight, width)
        except ValueError as error:
            raise ValueError(f"Stage '{self.name}': {error}") from error

    def _check_validation(self):
        if self.validation is None:
            for word in ("task", "select_by", "patience", "evaluate_every"):
                if getattr(self, word) is not None:
                    raise ValueError(
                        f"`{word}` is about the choice of epochs, which needs "
                        f"`validation`. Received, for stage '{self.name}': "
                        f"{word}={getattr(self, word)!r}"
                    )
            return
        if self.keep != "last":
            raise ValueError(
                "Give either `validation` or `keep`. Received both, for stage "
                f"'{self.name}'."
            )
        if not hasattr(self.validation, "batches"):
            raise ValueError(
                f"`validation` of stage '{self.name}' must be tokenised, as "
                f"`train`. Received: {type(self.validation).__name__}"
            )
        self.selected = selected_measures(self)

    def _check_data(self):
        """What the student would stop at in a step, or learn all wrong."""
        for part in self.parts:
            data_labels = getattr(part.train, "label_names", None)
            if data_labels is None and part.task is not None:
                data_labels = getattr(part.task, "label_names", None)
            check_label_order(
                part.label_names,
                data_labels,
                f"the teacher of {self._place_of(part)}",
            )
        if hasattr(self.train, "check_model"):
            learns = self.loss is not None and self.student_loss_weight != 0
            try:
                self.train.check_model(self.student, with_labels=learns)
            except ValueError as error:
                raise ValueError(
                    f"`train` of stage '{self.name}': {error}"
                ) from error

    def _place_of(self, part):
        task = "" if part.name is None else f", task '{part.name}'"
        return f"stage '{self.name}'{task}"

    def _check_losses(self, part):
        place = self._place_of(part)
        if (part.teacher is None) != (part.distillation_losses is None):
            raise ValueError(
                "`teacher` and `distillation_losses` go together. Received, "
                f"for {place}, only one of them."
            )
        if part.teacher is not None:
            # Said now, not when the stages before it are trained.
            count = len(as_losses(part.distillation_losses))
            as_weights(part.distillation_loss_weights, count)
            return
        if part.loss is None:
            raise ValueError(
                f"{place[0].upper()}{place[1:]} has nothing to learn: give a "
                "`teacher` and `distillation_losses`, or a `loss` on the "
                "labels."
            )
        for word, absent in (
            ("distillation_loss_weights", None),
            ("student_loss_weight", None),
            ("teacher_training", False),
        ):
            if getattr(part, word) != absent:
                raise ValueError(
                    f"`{word}` is for a stage with a teacher. Received, for "
                    f"{place}: {word}={getattr(part, word)!r}"
                )


def _check_name(name):
    pattern = r"\w([\w.-]*[\w-])?"
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        raise ValueError(
            "`name` of a stage must be a name for a folder: letters, digits, "
            "'_', '-' and '.', no '.' or '-' first and no '.' last. "
            f"Received: {name!r}"
        )
    if name.partition(".")[0].lower() in _RESERVED:
        raise ValueError(
            "`name` of a stage must be a name for a folder on every system, "
            "and Windows keeps this one for a device, whatever follows after "
            f"a '.'. Choose another, such as '{name.partition('.')[0]}_'. "
            f"Received: {name!r}"
        )


def _serialized(thing):
    """What Keras makes of an object, without names."""
    if isinstance(thing, (list, tuple)):
        return [_serialized(entry) for entry in thing]
    if thing is None or isinstance(thing, str):
        return thing
    try:
        with warnings.catch_warnings():
            # It will not be read again, so that a lambda does no harm.
            warnings.simplefilter("ignore", UserWarning)
            return _without_names(keras.saving.serialize_keras_object(thing))
    except (NotImplementedError, TypeError, ValueError):
        return _type_name(thing)


def _without_names(config):
    if isinstance(config, dict):
        if config.get("class_name") == "__lambda__":
            # Its bytes tell the line of the file as well; `identity` knows
            # its code.
            return {"class_name": "__lambda__"}
        return {
            key: _without_names(value)
            for key, value in config.items()
            if key != "name"
        }
    if isinstance(config, (list, tuple)):
        return [_without_names(entry) for entry in config]
    return config


def _rule(keep):
    """Which weights are kept, and when training stops before its end."""
    if keep == "last":
        return keep
    words = [keep.monitor]
    if keep.mode != "max":
        words.append(keep.mode)
    if keep.patience is not None:
        words.append(f"patience {keep.patience}")
    if keep.every is not None:
        words.append(f"every {keep.every} batches")
    return ", ".join(words)


def _type_name(thing):
    return type(thing).__name__
