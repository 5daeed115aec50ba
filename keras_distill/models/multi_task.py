"""Several tasks above one encoder, each with a head of its own."""

import contextlib
import inspect
import re
import types
from collections.abc import Mapping

import keras
import keras_hub

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_float
from keras_distill.models.bert_head import POOLINGS
from keras_distill.models.heads import StochasticAnswerClassifier
from keras_distill.models.precision import with_quantized_head
from keras_distill.models.saving import SavedWhole
from keras_distill.models.saving import model_config
from keras_distill.models.saving import swapped_optimizer
from keras_distill.models.text_classifier_class import text_classifier_class

# What stands above the encoder, whatever the kind of task.
LINEAR, STOCHASTIC_ANSWER = TASK_HEADS = ("linear", "stochastic_answer")
_DROPOUT = 0.1


@keras.saving.register_keras_serializable("keras_distill")
class MultiTaskModel(SavedWhole, keras.Model):
    """Several tasks above one encoder, each with a head of its own.

    What a task adds to the encoder is a KerasHub task: its head, dropout and
    preprocessor. All of them stand on one and the same backbone object, so
    that each learns for the others; each can be used, measured and exported
    alone, by `task_models["my_task"]`.

    `keras_distill.MultiTaskDistiller` trains it. A file that `save` wrote is
    read by `keras.saving.load_model`: the encoder is in it once, and still
    shared. How a task's model was compiled is not kept.

    Args:
        task_models: dict of task name to `keras_hub.models.Task`, such as a
            `keras_hub.models.TextClassifier` (also of one output: a
            regression, or the score of a ranking), a
            `keras_distill.models.StochasticAnswerClassifier` or a
            `keras_distill.models.TokenClassifier`. All have the same object
            as their `backbone`.
        **kwargs: Arguments of `keras.Model`.

    Attributes:
        backbone: The encoder that all tasks share.
        task_models: The tasks' models by name, in the order given. It cannot
            be changed.

    Call arguments:
        inputs: What the task's model takes, tokenised.
        task: str. The task whose head answers.
        training: bool. Whether dropout is on, of the encoder and of the
            task's head at its own rate.

    Raises:
        ValueError: If there is no task, or tasks do not share one backbone.

    Example:

    ```python
    import keras_hub
    import numpy as np
    import keras_distill

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=32,
    )
    classifier_class = keras_hub.models.BertTextClassifier
    model = keras_distill.models.MultiTaskModel(
        {
            "mnli": classifier_class(backbone, num_classes=3, dropout=0.3),
            "sts-b": classifier_class(backbone, num_classes=1),
        }
    )
    ids = np.ones((3, 5), "int32")
    batch = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids}
    print(model(batch, task="mnli").shape)
    ```

    Reference:
        - MT-DNN, https://arxiv.org/abs/1901.11504.
    """

    def __init__(self, task_models, **kwargs):
        _check_task_models(task_models)
        super().__init__(**kwargs)
        self.backbone = next(iter(task_models.values())).backbone
        self._task_models = dict(task_models)
        self.built = True

    @classmethod
    def for_tasks(
        cls,
        backbone,
        preprocessor,
        tasks,
        heads=None,
        dropout=_DROPOUT,
        pooling=None,
        **kwargs,
    ):
        """Builds a model with new heads for a list of tasks.

        Each task has a preprocessor of its own, with the tokenizer of the one
        that is given, which cuts texts at the task's length if that is
        shorter.

        Args:
            backbone: `keras_hub.models.Backbone`, the shared encoder.
            preprocessor: KerasHub preprocessor, or `None` if inputs are
                tokenised already.
            tasks: Sequence of `keras_distill.tasks.Task`.
            heads: Optional str, or dict of task name to str: `"linear"`, a
                dense layer of the task's `model_class`, or
                `"stochastic_answer"`, the head of a
                `StochasticAnswerClassifier`, for classes of pairs of texts.
                Tasks that are not in a dict have the first. Defaults to
                `None`: all have it.
            dropout: float, or dict of task name to float. The dropout rate
                before a task's outputs. Tasks that are not in a dict have
                `0.1`. Defaults to `0.1`.
            pooling: Optional str. What linear heads of texts on a BERT read,
                `"pooler"` or `"mean"`, as in
                `keras_distill.models.BertTextClassifier`. Defaults to `None`:
                the pooler.
            **kwargs: Arguments of `keras.Model`.

        Returns:
            `MultiTaskModel`.

        Raises:
            ValueError: If two tasks have one name, a head or a dropout rate
                is for none of the tasks, or a head does not fit its task.

        Example:

        ```python
        import keras_hub
        import keras_distill

        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
            intermediate_dim=16, max_sequence_length=32,
        )
        get_task = keras_distill.tasks.get_task
        model = keras_distill.models.MultiTaskModel.for_tasks(
            backbone,
            preprocessor=None,
            tasks=[get_task("mnli"), get_task("cola"), get_task("stsb")],
            dropout={"mnli": 0.3, "cola": 0.05},
        )
        print({n: m.num_classes for n, m in model.task_models.items()})
        ```
        """
        tasks = list(tasks)
        names = [task.name for task in tasks]
        if pooling is not None:
            check_choice("pooling", pooling, POOLINGS)
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"`tasks` must have different names. Received: {name!r} "
                    f"{names.count(name)} times."
                )
        heads = _by_task("heads", heads, names, LINEAR)
        dropout = _by_task("dropout", dropout, names, _DROPOUT)
        models = {}
        for task in tasks:
            name, head = task.name, heads[task.name]
            check_float(f"dropout[{name!r}]", dropout[name], 0, below=1)
            check_choice(f"heads[{name!r}]", head, TASK_HEADS)
            model_class, words = _model_class(task, backbone, head, pooling)
            models[name] = model_class(
                backbone=backbone,
                num_classes=task.num_outputs,
                preprocessor=_preprocessor_for(task, preprocessor),
                # What names of layers may not have.
                name=re.sub("[^A-Za-z0-9_.-]", "_", name),
                **_dropout_of(model_class, name, dropout[name]),
                **words,
            )
        return cls(models, **kwargs)

    @property
    def task_models(self):
        """The tasks' models by name, in the order given."""
        return types.MappingProxyType(self._task_models)

    @property
    def trainable_variables(self):
        """The encoder's once, then those of each head."""
        used = {
            id(variable)
            for model in self._task_models.values()
            for variable in model.trainable_variables
        }
        found = super().trainable_variables
        return [variable for variable in found if id(variable) in used]

    @property
    def trainable_weights(self):
        return self.trainable_variables

    def call(self, inputs, task=None, training=None):
        return self._model_of(task)(inputs, training=training)

    def predict(self, x, task, **kwargs):
        """A task's outputs, as `keras.Model.predict` gives them.

        Args:
            x: As in Keras. Raw texts where the task has a preprocessor.
            task: str. The name of the task.
            **kwargs: Further arguments of `keras.Model.predict`.

        Returns:
            Array, or as in Keras.

        Raises:
            ValueError: If there is no such task.
        """
        return self._model_of(task).predict(x, **kwargs)

    def save(self, *args, **kwargs):
        with self._without_optimizers():
            super().save(*args, **kwargs)

    save.__doc__ = SavedWhole.save.__doc__

    def get_config(self):
        tokenizers, entries = [], []
        for name, model in self._task_models.items():
            entry = model_config(model)
            del entry["config"]["backbone"]
            _take_tokenizer(entry["config"], model.preprocessor, tokenizers)
            entries.append([name, entry])
        config = {
            "name": self.name,
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "tokenizers": list(
                map(keras.saving.serialize_keras_object, tokenizers)
            ),
            "task_models": entries,
        }
        return with_quantized_head(config, self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        def revive(serialized):
            return keras.saving.deserialize_keras_object(
                serialized, custom_objects
            )

        config = dict(config)
        backbone = revive(config.pop("backbone"))
        tokenizers = list(map(revive, config.pop("tokenizers")))
        models = {}
        for name, entry in config.pop("task_models"):
            its = {**entry["config"], "backbone": backbone}
            its["preprocessor"] = _revived_preprocessor(
                its["preprocessor"], tokenizers, revive
            )
            models[name] = revive({**entry, "config": its})
        return cls(models, **config)

    def _model_of(self, task):
        if task not in self._task_models:
            raise ValueError(
                "`task` must be one of the model's tasks, "
                f"{', '.join(self._task_models)}. Received: task={task!r}"
            )
        return self._task_models[task]

    @contextlib.contextmanager
    def _without_optimizers(self):
        """Saves no state of optimizers: each is loaded with a new one."""
        with contextlib.ExitStack() as stack:
            for model in self._task_models.values():
                new = keras.optimizers.Adam()
                stack.enter_context(swapped_optimizer(model, new))
            yield


def _check_task_models(task_models):
    if not isinstance(task_models, Mapping) or not task_models:
        raise ValueError(
            "`task_models` must be a dict of task name to model, with at "
            f"least one. Received: {task_models!r}"
        )
    owners, first = {}, next(iter(task_models))
    for name, model in task_models.items():
        if not isinstance(name, str) or not name:
            raise ValueError(
                "`task_models` must have a name for each task. Received: "
                f"{name!r}"
            )
        if not isinstance(model, keras_hub.models.Task):
            raise ValueError(
                f"`task_models[{name!r}]` must be a keras_hub.models.Task, "
                "such as a TextClassifier. Received: an object of type "
                f"{type(model).__name__}"
            )
        if id(model) in owners:
            raise ValueError(
                "`task_models` must have a model for each task. Received: the "
                f"same for {owners[id(model)]!r} and {name!r}"
            )
        owners[id(model)] = name
        if model.backbone is not task_models[first].backbone:
            raise ValueError(
                "`task_models` must share one backbone: build each on the "
                f"same object. Received: {name!r} on another than {first!r}"
            )


def _by_task(argument, value, names, default):
    """An argument's value for each task, of a dict or of one for all."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(names, default if value is None else value)
    for name in value:
        if name not in names:
            raise ValueError(
                f"`{argument}` must be of the tasks {', '.join(names)}. "
                f"Received: {argument}={dict(value)!r}, where {name!r} is none "
                "of them"
            )
    return {name: value.get(name, default) for name in names}


def _model_class(task, backbone, head, pooling):
    """The class of a task's model, and what it is told of its head."""
    if head == STOCHASTIC_ANSWER:
        _check_fits_stochastic_answer(task)
        return StochasticAnswerClassifier, {}
    if task.model_class is not keras_hub.models.TextClassifier:
        return task.model_class, {}
    if pooling is None:
        return text_classifier_class(type(backbone)), {}
    model_class = text_classifier_class(type(backbone), with_chosen_head=True)
    if not isinstance(
        backbone, (model_class.backbone_cls, keras_hub.models.BertBackbone)
    ):
        raise ValueError(
            "`pooling` is for heads of a BERT. Received: "
            f"pooling={pooling!r} and a {type(backbone).__name__}"
        )
    return model_class, {"pooling": pooling}


def _dropout_of(model_class, name, rate):
    """The rate as an argument of a class that takes one."""
    if "dropout" in inspect.signature(model_class.__init__).parameters:
        return {"dropout": rate}
    if rate:
        raise ValueError(
            f"`dropout` must be 0 for {name!r}, since a "
            f"{model_class.__name__} has none. Received: {rate}"
        )
    return {}


def _check_fits_stochastic_answer(task):
    if task.activation != "softmax" or len(task.text_columns) != 2:
        raise ValueError(
            f'`heads` must be "{LINEAR}" for {task.name!r}: a stochastic '
            "answer is one of several classes for a pair of texts. Received: "
            f'"{STOCHASTIC_ANSWER}" for a task of {task.kind} with the texts '
            f"{', '.join(task.text_columns)}"
        )


def _preprocessor_for(task, preprocessor):
    """A preprocessor of a task's own, of the same tokenizer."""
    if preprocessor is None:
        return None
    config = preprocessor.get_config()
    del config["name"]
    length = min(config["sequence_length"], task.sequence_length)
    config |= {
        "tokenizer": preprocessor.tokenizer,
        "sequence_length": length,
    }
    return type(preprocessor).from_config(config)


def _take_tokenizer(config, preprocessor, tokenizers):
    """Puts a number in place of a tokenizer, which tasks may share."""
    tokenizer = getattr(preprocessor, "tokenizer", None)
    if tokenizer is None:
        return
    numbers = [i for i, other in enumerate(tokenizers) if other is tokenizer]
    if not numbers:
        numbers = [len(tokenizers)]
        tokenizers.append(tokenizer)
    config["preprocessor"]["config"]["tokenizer"] = numbers[0]


def _revived_preprocessor(config, tokenizers, revive):
    """A preprocessor of what `_take_tokenizer` left."""
    if config is None:
        return None
    its = dict(config["config"])
    if isinstance(its.get("tokenizer"), int):
        its["tokenizer"] = tokenizers[its["tokenizer"]]
    return revive({**config, "config": its})
