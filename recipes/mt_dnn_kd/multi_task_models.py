"""Models of one and of several tasks as they are before any stage."""

import keras

from keras_distill import models
from keras_distill import teachers


def make_model(config, start, tasks):
    """Several tasks above an encoder, with new heads.

    Args:
        config: `Config`.
        start: `recipes.mt_dnn_kd.config.Start`. The encoder.
        tasks: list of `keras_distill.tasks.Task`.

    Returns:
        `keras_distill.models.MultiTaskModel`.
    """
    keras.utils.set_random_seed(config.seed)
    longest = max(task.sequence_length for task in tasks)
    length = config.sequence_length or longest
    classifier = teachers.load_teacher(start.encoder, 2, length).classifier
    names = [task.name for task in tasks]
    return models.MultiTaskModel.for_tasks(
        _with_dropout(classifier.backbone, start),
        classifier.preprocessor,
        tasks,
        heads={
            name: "stochastic_answer"
            for name in config.answer_names
            if name in names
        },
        dropout={
            name: rate
            for name, rate in config.dropout_by_task.items()
            if name in names
        },
        pooling=config.pooling,
    )


def make_single_model(config, start, task, trained=None):
    """One task's model, on an encoder of its own.

    Args:
        config, start: As `make_model` takes them.
        task: `keras_distill.tasks.Task`.
        trained: Optional `MultiTaskModel` of the same encoder, whose weights
            it starts from. Defaults to `None`: the encoder's, and a new head.

    Returns:
        KerasHub task.
    """
    model = make_model(config, start, [task]).task_models[task.name]
    if trained is not None:
        model.set_weights(trained.task_models[task.name].get_weights())
    return model


def _with_dropout(backbone, start):
    """The same encoder with the dropout that is asked for."""
    config = backbone.get_config()
    if "dropout" not in config:
        raise ValueError(
            f"The encoder {start.encoder!r} has no dropout to set. "
            f"Received: {start.encoder}:{start.dropout:g}"
        )
    if config["dropout"] == start.dropout:
        return backbone
    made = type(backbone).from_config({**config, "dropout": start.dropout})
    made.set_weights(backbone.get_weights())
    return made
