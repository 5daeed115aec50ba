"""Trains a student on the features of a teacher."""

import contextlib
import inspect

import keras
from keras import ops

# What Keras builds metrics with, under no public name.
from keras.src.backend import compute_output_spec

from keras_distill.callbacks.log_schedules import LogSchedules
from keras_distill.callbacks.monitors import check_monitors
from keras_distill.callbacks.monitors import metric_names
from keras_distill.callbacks.phases import released_if_interrupted
from keras_distill.callbacks.stop_on_nan import with_nan_check
from keras_distill.checks.arguments import check_bool
from keras_distill.checks.model_of import model_of
from keras_distill.checks.numbers_or_schedules import check_number_or_schedule
from keras_distill.checks.numbers_or_schedules import config_of
from keras_distill.features import FeatureForward
from keras_distill.features import describe
from keras_distill.features import names
from keras_distill.features import select_inputs
from keras_distill.fitting.compile_checks import check_compiled
from keras_distill.fitting.fit_data import FitData
from keras_distill.fitting.raw_text import TextReader
from keras_distill.io import show
from keras_distill.losses.objective import Objective
from keras_distill.models.saving import SavedWhole
from keras_distill.models.saving import model_config
from keras_distill.packing.vocabulary import model_tokenizer
from keras_distill.teachers import check_built
from keras_distill.teachers import check_first_batch
from keras_distill.teachers import check_label_order
from keras_distill.teachers import check_loss_on_labels
from keras_distill.teachers import shared_variables
from keras_distill.teachers import targets_of
from keras_distill.train_steps import Steps
from keras_distill.train_steps import remake_functions
from keras_distill.train_steps.forward_pass import ForwardPass
from keras_distill.train_steps.training_numbers import SHARE
from keras_distill.train_steps.training_numbers import TrainingNumbers


@keras.saving.register_keras_serializable("keras_distill")
class Distiller(SavedWhole, Steps, keras.Model):
    """Trains a student on the features of a teacher.

    It is used as any Keras model: `compile`, `fit`, `evaluate`, `predict`.
    Called on inputs, it is the student. The training loss is

    `a * student_loss + (1 - a) * sum_i w_i * distillation_loss_i + R`

    with `a` the `student_loss_weight`, `student_loss` the compiled loss on
    the labels, `w` the `distillation_loss_weights` and `R` the student's own
    regularization losses. Each term is a mean over the batch with its sample
    weights (class weights among them), and each is logged under its own name:
    `student_loss`, `hidden_states_loss`, `logits_loss`, ...

    In a step the teacher runs once, without gradient, without dropout unless
    it is asked for, and only as deep as the losses look; the student runs
    once, for its predictions and its features together. The teacher is never
    changed: not its weights, not its `trainable` flags. Padding takes no part
    in a loss.

    Projections between different widths belong to the distiller. They train
    with the student and are saved with the distiller's weights, but the
    student knows nothing of them: `distiller.student` is what you serve.

    Saving: `save_weights` (and so `ModelCheckpoint(save_weights_only=True)`
    and `BackupAndRestore`) writes student, projections and optimizer;
    `save` writes the teacher as well, so that `keras.saving.load_model` gives
    a distiller that goes on training.

    Args:
        teacher: `keras.Model`, trained on the task; or a
            `keras_distill.teachers.TeacherEnsemble` of several; or a
            `keras_distill.teachers.TeacherCache`, for batches of
            `cache.attach(examples)`. Of what `load_teacher` gives, and of
            another `Distiller`, the model is taken. `None`: the student
            learns its labels alone, as `keras.Model.fit` would train it;
            then there are no `distillation_losses`, and `student_loss_weight`
            is 1.
        student: `keras.Model`. What is trained.
        distillation_losses: One loss or a list of losses of
            `keras_distill.losses`; those of `keras.distillation` are taken
            too (see `keras_distill.losses.from_keras`). `None` or an empty
            list without a teacher.
        distillation_loss_weights: Optional list of float or schedule, one for
            each loss. Defaults to 1 each.
        student_loss_weight: float between 0 and 1, or a schedule of it: `a`
            above. With 0, labels are not needed; with 1, the teacher is not
            run. Defaults to `0.5`.
        name: str. Defaults to `"distiller"`.
        teacher_training: bool. Whether the teacher's dropout is on, as some
            official scripts leave it; its targets are noisy then, in
            `evaluate` as well. Defaults to `False`.
        **kwargs: Further arguments of `keras.Model`.

    Raises:
        ValueError: If the two models do not fit together for the losses
            (vocabularies, depths, widths, heads, outputs), or a trainable
            weight belongs to both.

    Example:

    ```python
    import keras
    import keras_hub
    import numpy as np
    import keras_distill
    from keras_distill import losses


    def classifier(num_layers, hidden_dim):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=100, num_layers=num_layers, num_heads=2,
            hidden_dim=hidden_dim, intermediate_dim=2 * hidden_dim,
            max_sequence_length=32,
        )
        return keras_hub.models.BertTextClassifier(backbone, num_classes=2)


    distiller = keras_distill.Distiller(
        classifier(4, 16),
        classifier(2, 8),
        [losses.HiddenStatesDistillation(), losses.AttentionDistillation(),
         losses.LogitsDistillation(temperature=2.0)],
    )
    distiller.compile(
        optimizer=keras.optimizers.AdamW(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    ids = np.random.randint(5, 100, (8, 6))
    x = {"token_ids": ids, "segment_ids": 0 * ids,
         "padding_mask": np.ones_like(ids)}
    distiller.fit(x, np.arange(8) % 2, epochs=2)
    ```
    """

    def __init__(
        self,
        teacher,
        student,
        distillation_losses,
        distillation_loss_weights=None,
        student_loss_weight=0.5,
        name="distiller",
        teacher_training=False,
        **kwargs,
    ):
        # === Validation ===
        # Past Keras's tracking, which would wrap it.
        self.__dict__["label_names"] = getattr(teacher, "label_names", None)
        check_label_order(
            self.label_names, getattr(student, "label_names", None)
        )
        teacher, student = model_of(teacher), model_of(student)
        check_built(student, "student")
        if teacher is None:
            _check_labels_alone(
                distillation_losses, student_loss_weight, teacher_training
            )
        check_number_or_schedule(
            "student_loss_weight", student_loss_weight, SHARE
        )
        check_bool("teacher_training", teacher_training)
        targets = targets_of(teacher, student, teacher_training)
        kwargs.setdefault("dtype", student.dtype_policy)
        super().__init__(name=name, **kwargs)

        # === Models and projections ===
        # Past Keras's attribute tracking: the teacher is no layer of the
        # distiller. Its weights are not counted, trained or checkpointed.
        self.__dict__["teacher"] = teacher
        self.student = student
        student_description = describe(student)
        self.objective = Objective(
            distillation_losses,
            distillation_loss_weights,
            targets.description,
            student_description,
            taken_names=_student_loss_names(student),
        )
        targets.check_losses(self.objective)
        self.projections = {
            name: _build_projection(projection)
            for name, projection in self.objective.projections().items()
        }
        self.__dict__["_targets"] = targets
        self._student_description = student_description
        if not callable(student_loss_weight):
            student_loss_weight = float(student_loss_weight)
        self.student_loss_weight = student_loss_weight
        self.teacher_training = teacher_training
        with self._scope():
            self._numbers = TrainingNumbers(self, self.objective)
        self._choice = (None, True)
        self._made_for = None
        self._make_passes()
        self._term_trackers = {
            name: keras.metrics.Mean(name=name)
            for name in ("student_loss", *self.objective.term_names)
        }
        self.built = True

    @property
    def distillation_losses(self):
        """The losses, those of `keras.distillation` translated."""
        return self.objective.losses

    @property
    def distillation_loss_weights(self):
        """The weight of each loss."""
        return self.objective.weights

    @distillation_loss_weights.setter
    def distillation_loss_weights(self, weights):
        self.objective.set_weights(weights)

    @property
    def _labels_count(self):
        """Whether the labels count at some step."""
        weight = self.student_loss_weight
        return callable(weight) or weight > 0

    @property
    def _teacher_counts(self):
        """Whether the distillation losses count at some step."""
        weight = self.student_loss_weight
        return callable(weight) or weight < 1

    @property
    def output_names(self):
        """The student's, for `loss` and `metrics` that go by output."""
        return getattr(self.student, "output_names", None)

    def plan(self):
        """The match plan: what the student learns from what.

        Returns:
            list of str, one line for each match.
        """
        return self.objective.plan()

    def build(self, input_shape=None):
        # Everything is built with the models themselves.
        self.built = True

    def call(self, inputs, training=None):
        inputs = select_inputs(self.student, inputs, "student")
        return self.student(inputs, training=training)

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """Configures training, as `keras.Model.compile` does.

        Args:
            optimizer: As in Keras.
            loss: The student's loss on the labels. It may be left out if
                `student_loss_weight` is 0; otherwise, if given with weight
                0, it is logged and not trained.
            **kwargs: As in Keras: `metrics`, `weighted_metrics`,
                `loss_weights` (of the outputs of the student), `jit_compile`,
                `run_eagerly`, `steps_per_execution`, ...

        Raises:
            ValueError: If labels count and there is no loss, or if a loss or
                metric of probabilities meets a student that gives logits, or
                the other way round.
        """
        self._check_label_loss(loss)
        check_loss_on_labels(self._student_description, loss)
        check_compiled(
            self._student_description,
            loss,
            [kwargs.get("metrics"), kwargs.get("weighted_metrics")],
        )
        self._compile(optimizer, loss, **kwargs)

    def compile_from_config(self, config):
        # Keras leaves this to any class that overrides `compile`. What was
        # saved is not checked, so that it can be loaded whatever it is.
        self._compile(**keras.saving.deserialize_keras_object(config))
        self._build_optimizer()

    def _check_label_loss(self, loss):
        if loss is None and self._labels_count:
            raise ValueError(
                "`loss` must be given, since the labels count with "
                f"student_loss_weight={self.student_loss_weight}. Received: "
                "loss=None. Pass a loss, or build the Distiller with "
                "`student_loss_weight=0`."
            )

    def _compile(self, optimizer, loss, **kwargs):
        # Past Keras's tracking, which would wrap it.
        self.__dict__["_metric_names"] = metric_names(
            kwargs.get("metrics"), kwargs.get("weighted_metrics")
        )
        super().compile(optimizer=optimizer, loss=loss, **kwargs)

    def fit(self, *args, **kwargs):
        """Trains the student, as `keras.Model.fit` does.

        Where teacher and student have preprocessors, texts are taken as
        KerasHub's tasks take them, `fit(texts, labels)`: a list, an array or
        a column of a table; pairs as a tuple or dict of two columns; for
        models of tokens a list of words for each text; or a
        `tf.data.Dataset` of batches of texts. They are tokenised once, to the
        preprocessors' `sequence_length` at most, and each batch is padded to
        its longest row. Labels may be names where `teacher` is what
        `load_teacher` returned and its preset knows them.

        The match plan is printed first unless `verbose` is 0. Training stops
        with a `FloatingPointError` when a loss is not finite, with the last
        good weights in place (`keras_distill.callbacks.StopOnNaN`).
        """
        call = _bind("fit", args, kwargs)
        given = call.arguments
        data = self._fit_data()
        data.for_fit(given)
        self._check_first_batch(given["x"])
        callbacks = given.get("callbacks")
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [LogSchedules(), *with_nan_check(callbacks)]
        given["callbacks"] = callbacks
        check_monitors(
            getattr(callbacks, "callbacks", callbacks),
            *self.logged_names(),
            given.get("validation_data") is not None
            or bool(given.get("validation_split")),
        )
        if given.get("verbose", "auto") and self.plan():
            show("Match plan:", *self.plan())
        with data.explained(), released_if_interrupted(given["callbacks"]):
            return super().fit(*call.args, **call.kwargs)

    def evaluate(self, *args, **kwargs):
        """Measures losses and metrics, as `keras.Model.evaluate` does."""
        if kwargs.get("_use_cached_eval_dataset"):
            # Within `fit`, which has seen the data.
            return super().evaluate(*args, **kwargs)
        call = _bind("evaluate", args, kwargs)
        data = self._fit_data()
        data.for_evaluate(call.arguments)
        with data.explained():
            return super().evaluate(*call.args, **call.kwargs)

    def predict(self, *args, **kwargs):
        """Gives the student's outputs, as `keras.Model.predict` does.

        Of texts, as `fit` takes them or a single one, there is an output for
        each row, in order.
        """
        call = _bind("predict", args, kwargs)
        data = FitData(
            self._student_description, self._text_reader(with_teacher=False)
        )
        places = data.for_predict(call.arguments)
        with data.explained():
            outputs = super().predict(*call.args, **call.kwargs)
        if places is None:
            return outputs
        return keras.tree.map_structure(lambda x: x[places], outputs)

    def _fit_data(self):
        """What makes batches of the data of training and evaluation."""
        reads_teacher = self._whole.teacher is not None
        needs_labels = None
        if self._labels_count:
            needs_labels = (
                "The labels count with student_loss_weight="
                f"{self.student_loss_weight}",
                ", or build the Distiller with `student_loss_weight=0`",
            )
        elif reads_teacher and (loss := self.objective.labels_reader()):
            needs_labels = (f"The loss '{loss.name}' looks at the labels", "")
        return FitData(
            self._student_description,
            self._text_reader(reads_teacher),
            getattr(self, "loss", None),
            needs_labels,
            self.label_names,
        )

    def _text_reader(self, with_teacher):
        return TextReader(
            self.student, self.teacher, self._targets, with_teacher
        )

    def check_rows(self, rows):
        """Raises unless tokenised rows can be trained on."""
        self._fit_data().check_rows(rows)
        self._check_first_batch(next(iter(rows.iterate(1)))[0])

    def _check_first_batch(self, x):
        if self.teacher is None:
            return
        check_first_batch(
            self.objective.losses,
            (self._targets.description, self.teacher),
            (self._student_description, self.student),
            x,
        )

    def logged_names(self):
        """The names of the losses in the logs of training, and of metrics."""
        found = ["loss"]
        if self._compile_loss is not None:
            found += sorted(_student_loss_names(self.student))
        if self._trained.teacher is not None:
            found += self.objective.term_names
        return [*found, *self.scheduled_numbers()], self._metric_names

    def scheduled_numbers(self):
        """What the schedules give at the optimizer's step.

        Returns:
            dict of name, such as `"student_loss_weight"`, to float. `fit`
            adds them to the logs of an epoch.
        """
        if not self._numbers.follow_schedules:
            return {}
        step = int(ops.convert_to_numpy(self.optimizer.iterations))
        return self._numbers.scheduled(step)

    def choose_matches(self, is_chosen=None, with_outputs=True):
        """Trains on some of the matches alone, until it is called again.

        Teacher and student are computed as deep as these look. `evaluate` and
        what `fit` shows of validation data go on counting all of them.

        Args:
            is_chosen: Optional function of a
                `keras_distill.losses.Match` that tells whether it counts.
                Defaults to all.
            with_outputs: bool. Whether the student is computed up to its
                outputs in training, which its loss on the labels and the
                compiled metrics look at. Defaults to `True`.

        Raises:
            ValueError: If nothing is left to learn.
        """
        self._choice = (is_chosen, with_outputs)
        self._make_passes()
        if self.compiled:
            remake_functions(self)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The total loss on a batch.

        Args:
            x: Inputs.
            y: Optional labels.
            y_pred: Not used: the losses need the student's features, so the
                student is run on `x`.
            sample_weight: Optional sample weights.
            training: bool. Whether the student's dropout is on.

        Returns:
            float32 scalar.
        """
        del y_pred
        if self._numbers.structure() != self._made_for:
            self._make_passes()
        optimizer = getattr(self, "optimizer", None)
        step = 0 if optimizer is None else optimizer.iterations
        teacher, student = self._whole.run(x, training)
        return self._loss_and_terms(
            self._whole,
            teacher,
            student,
            y,
            sample_weight,
            step,
            self._numbers.now(),
        )[0]

    def build_metrics(self, batch):
        """Makes what is measured, as the first step would.

        Args:
            batch: A batch of arrays. Only shapes and dtypes count.
        """
        measured = (self._compile_loss, self._compile_metrics)
        if all(part is None or part.built for part in measured):
            return
        batch = keras.tree.map_structure(
            lambda array: keras.KerasTensor(array.shape, array.dtype), batch
        )
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        with self._scope():
            outputs = compute_output_spec(self, x, training=False)
            if self._compile_loss is not None and y is not None:
                self._compile_loss.build(y, outputs)
            compute_output_spec(
                self.compute_metrics, x, y, outputs, sample_weight
            )

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        if y is None or y_pred is None:
            # Unlabelled batches have nothing to compare predictions with.
            return self._tracked_losses()
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_metrics_result(self):
        if self._compile_metrics is None or self._compile_metrics.built:
            return super().get_metrics_result()
        # No labelled batch came yet.
        return self._tracked_losses()

    def save_weights(self, *args, **kwargs):
        """Saves student, projections and optimizer, without the teacher.

        A file is written under another name first: what was there before
        stays until the new one is whole.
        """
        with self._without_teacher():
            super().save_weights(*args, **kwargs)

    def load_weights(self, *args, **kwargs):
        """Loads what `save_weights` wrote."""
        with self._without_teacher():
            super().load_weights(*args, **kwargs)

    def get_config(self):
        teacher_config = self._targets.config()
        shared = None
        if teacher_config is not None:
            shared = shared_variables(self.teacher, self.student.variables)
        if shared:
            raise ValueError(
                "Keras cannot save a student and a teacher that share "
                f"weights in one file. Received: a student that has "
                f"{shared[0]} in common with the teacher. Use `save_weights`, "
                "or save `distiller.student`."
            )
        serialize = keras.saving.serialize_keras_object
        return {
            "teacher": teacher_config,
            "student": model_config(self.student),
            "distillation_losses": [
                serialize(x) for x in self.objective.losses
            ],
            "distillation_loss_weights": [
                config_of(weight) for weight in self.objective.weights
            ],
            "student_loss_weight": config_of(self.student_loss_weight),
            "teacher_training": self.teacher_training,
            "name": self.name,
            "dtype": serialize(self.dtype_policy),
            "label_names": self.label_names,
            "tokenizer_of_member": _shared_tokenizer(
                self.teacher, self.student
            ),
        }

    @classmethod
    def from_config(cls, config):
        arguments = {
            key: keras.saving.deserialize_keras_object(value)
            for key, value in config.items()
        }
        label_names = arguments.pop("label_names", None)
        member = arguments.pop("tokenizer_of_member", None)
        if arguments.pop("shares_tokenizer", False):
            # Files from before there were ensembles say it so.
            member = 0
        if member is not None:
            # Keras would make it two, and find a vocabulary for one only.
            teacher, student = arguments["teacher"], arguments["student"]
            tokenizer = _tokenizers(teacher)[member]
            student.preprocessor.tokenizer = tokenizer
        distiller = cls(**arguments)
        distiller.__dict__["label_names"] = label_names
        return distiller

    def make_train_function(self, force=False):
        # Projections might train all the same, and the loss would fall.
        if not self._reached_of_student():
            self._refuse_unreached()
        self._build_optimizer()
        before = self.train_function
        super().make_train_function(force)
        if self.train_function is not before:
            self.train_function = self._with_numbers(
                self.train_function, "train"
            )
        self._numbers.forget()

    def make_test_function(self, force=False):
        before = self.test_function
        super().make_test_function(force)
        if self.test_function is not before:
            self.test_function = self._with_numbers(self.test_function, "test")
        self._numbers.forget()

    def _with_numbers(self, function, kind):
        """A compiled function that sees the numbers as they are when it runs.

        Args:
            function: What `make_train_function` or `make_test_function` made.
            kind: `"train"` or `"test"`.
        """

        def run(*arguments):
            structure = self._numbers.structure()
            if structure != self._made_for:
                # It was made without a part that counts now, or with one that
                # does not.
                self._numbers.check()
                self._check_label_loss(self._compile_loss)
                self.objective.check_matches(
                    self._targets.description, self._student_description
                )
                self._make_passes()
                for name in ("train", "test"):
                    if getattr(self, f"{name}_function") is not None:
                        getattr(self, f"make_{name}_function")(force=True)
                return getattr(self, f"{kind}_function")(*arguments)
            step = None
            if kind == "test" and self._numbers.follow_schedules:
                step = int(ops.convert_to_numpy(self.optimizer.iterations))
            return function(*self._push_numbers(arguments, step))

        return run

    def _build_optimizer(self):
        # For all variables at once. Keras would do it for those that have a
        # gradient in the first step, and a saved state would fit no other.
        if self.optimizer is not None and not self.optimizer.built:
            with self._scope():
                self.optimizer.build(self.trainable_variables)

    def _apply_gradients(self, gradients):
        """Updates the variables that the losses reach."""
        # A part that no loss reaches, such as the head while hidden states
        # are matched, has no gradient and stays as it is.
        updates = [
            (gradient, variable)
            for gradient, variable in zip(
                gradients, self.trainable_variables, strict=True
            )
            if gradient is not None
        ]
        of_student = {id(v) for v in self.student.trainable_variables}
        if not any(id(variable) in of_student for _, variable in updates):
            self._refuse_unreached()
        self._update_variables(*zip(*updates, strict=True))

    def _teacher_variables(self):
        """The variables of the teacher that a step reads."""
        return self._targets.variables

    def reached_variables(self):
        """The trainable variables that the losses depend on.

        Returns:
            list of `keras.Variable`: of the student and the projections, and
            only those that the chosen matches reach.
        """
        reached = [v for v in self.trainable_variables if v.regularizer]
        reached += self._reached_of_student()
        if self._trained.teacher is not None:
            for name in self._trained.objective.projections():
                reached += self.projections[name].trainable_variables
        return reached

    def _reached_of_student(self):
        if self._labels_count:
            return self._trained.student.trainable_variables
        return self._trained.student.feature_variables

    def _refuse_unreached(self):
        trainable = self.student.trainable_variables
        found = "no trainable weight"
        if trainable:
            found = (
                f"{len(trainable)} trainable weights, none of them below what "
                f"the losses look at, such as '{trainable[-1].path}'"
            )
        raise ValueError(
            "The losses reach no trainable weight of the student "
            f"'{self.student.name}'. Received: a student with {found}. Set "
            "`trainable = True` on the layers to train, or choose losses on "
            "layers above them."
        )

    def _make_passes(self):
        """Makes the passes for what counts, and is chosen, now."""
        is_chosen, with_outputs = self._choice
        structure = self._numbers.structure()
        if structure != self._made_for:
            self._whole = self._make_pass(self.objective)
            # Past Keras's tracking, which would wrap it.
            self.__dict__["_made_for"] = structure
        self._trained = self._whole
        if is_chosen is not None or not with_outputs:
            part = self.objective.only(is_chosen or (lambda match: True))
            self._trained = self._make_pass(part, with_outputs)

    def _make_pass(self, objective, with_outputs=True):
        """A `ForwardPass` for an objective."""
        reads_teacher = self._teacher_counts and any(objective.matches)
        if not reads_teacher and not (with_outputs and self._labels_count):
            raise ValueError(
                "Nothing is left to learn: no match of the losses is chosen, "
                "and the labels do not count. Received: student_loss_weight="
                f"{self.student_loss_weight}"
            )
        with self._scope():
            return ForwardPass(
                objective,
                self._targets.reader(
                    objective.teacher_features(), objective.losses
                )
                if reads_teacher
                else None,
                FeatureForward(
                    self.student,
                    objective.student_features(),
                    "student",
                    with_outputs=with_outputs,
                    description=self._student_description,
                ),
            )

    def _loss_and_terms(
        self,
        forward,
        teacher,
        student,
        y,
        sample_weight,
        step=None,
        numbers=None,
    ):
        """The total loss of a `ForwardPass` and its terms by name.

        Numbers are read from `numbers` or the variable, but for schedules,
        which are computed for `step` if it is given.
        """
        a, weights, losses = self._numbers.read(step, numbers)
        terms, parts = {}, []
        has_outputs = names.OUTPUTS in student
        if self._compile_loss is not None and y is not None and has_outputs:
            label_loss = self._compile_loss(
                y, student[names.OUTPUTS], sample_weight
            )
            terms["student_loss"] = label_loss * self._num_replicas()
        if self._labels_count and has_outputs:
            if "student_loss" not in terms:
                raise ValueError(
                    "The labels count with student_loss_weight="
                    f"{self.student_loss_weight}. Received: a batch without "
                    "labels. Pass labels, or build the Distiller with "
                    "`student_loss_weight=0`."
                )
            parts.append(a * terms["student_loss"])
        if teacher is not None:
            distillation_terms = forward.objective.terms(
                teacher, student, self.projections, sample_weight, losses, y
            )
            total = forward.objective.total(distillation_terms, weights)
            parts.append((1 - a) * total)
            terms.update(distillation_terms)
        parts += [ops.cast(ops.sum(x), "float32") for x in self.losses]
        return sum(parts[1:], start=parts[0]), terms

    def _update_logs(self, x, y, sample_weight, outputs, loss, terms):
        """Updates the metrics with a batch and returns their results."""
        batch_size = ops.shape(keras.tree.flatten(x)[0])[0]
        self._loss_tracker.update_state(loss, sample_weight=batch_size)
        for name, value in terms.items():
            self._term_trackers[name].update_state(
                value, sample_weight=batch_size
            )
        results = self.compute_metrics(x, y, outputs, sample_weight)
        return {
            name: value
            for name, value in results.items()
            if name in terms or name not in self._term_trackers
        }

    def _tracked_losses(self):
        trackers = [self._loss_tracker, *self._term_trackers.values()]
        return {tracker.name: tracker.result() for tracker in trackers}

    @contextlib.contextmanager
    def _without_teacher(self):
        """Hides the teacher from Keras's walk over a model's attributes."""
        teacher = self.__dict__.pop("teacher")
        try:
            yield
        finally:
            self.__dict__["teacher"] = teacher


@model_of.register
def _(distiller: Distiller):
    return distiller.student


def _check_labels_alone(losses, student_loss_weight, teacher_training):
    """Raises if what needs a teacher is asked for without one."""
    if losses is not None and (not isinstance(losses, (list, tuple)) or losses):
        raise ValueError(
            "`distillation_losses` compare the student with a teacher. "
            f"Received: teacher=None and distillation_losses={losses!r}. Pass "
            "a teacher, or no losses."
        )
    if student_loss_weight != 1 or teacher_training:
        raise ValueError(
            "Without a teacher the student learns its labels alone: "
            "`student_loss_weight` must be 1 and `teacher_training` False. "
            f"Received: student_loss_weight={student_loss_weight!r}, "
            f"teacher_training={teacher_training!r}"
        )


def _bind(method, args, kwargs):
    """The arguments of a method of `keras.Model` by name."""
    signature = inspect.signature(getattr(keras.Model, method))
    _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters).bind(*args, **kwargs)


def _shared_tokenizer(teacher, student):
    """The place of the student's tokenizer among the teacher's, or `None`."""
    (own,) = _tokenizers(student)
    for place, tokenizer in enumerate(_tokenizers(teacher)):
        if own is not None and tokenizer is own:
            return place
    return None


def _tokenizers(model):
    """The tokenizer of a model, or those of an ensemble's members."""
    return [model_tokenizer(one) for one in getattr(model, "members", [model])]


def _build_projection(projection):
    layer = keras.layers.Dense(
        projection.teacher_width, name=projection.name, dtype="float32"
    )
    layer.build((None, projection.student_width))
    return layer


def _student_loss_names(student):
    """The names of the student loss, whole and by output, in the logs."""
    output_names = getattr(student, "output_names", None) or ()
    if len(output_names) < 2:
        return {"student_loss"}
    if isinstance(student.output, dict):
        output_names = student.output
    return {"student_loss", *(f"{name}_loss" for name in output_names)}
