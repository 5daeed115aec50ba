"""Exports a model of several tasks as one SavedModel."""

import urllib.parse
from collections.abc import Mapping

from keras_distill.checks.arguments import check_choice
from keras_distill.export.interface import Interface
from keras_distill.export.served_folder import SERVING_DEFAULT
from keras_distill.export.served_folder import TOKEN_IDS
from keras_distill.export.served_folder import Served
from keras_distill.export.served_folder import check_path
from keras_distill.export.served_folder import write_served_folder
from keras_distill.io.saving import local_path
from keras_distill.models import MultiTaskModel
from keras_distill.tasks import get_task


def to_multi_task_saved_model(
    model,
    path,
    *,
    tasks=None,
    label_names=None,
    text_columns=None,
    sequence_length=None,
    default=None,
    warm_up_texts=None,
    overwrite=False,
):
    """Exports a model of several tasks with its tokenizer, for TF Serving.

    The SavedModel holds the weights once: those of the shared encoder and
    those of each head. For each task it answers two signatures, as those of
    `to_saved_model` take and give them:

    - its name, such as `mnli`, takes texts;
    - its name with `/token_ids`, such as `mnli/token_ids`, takes what the
      model itself takes.

    `serving_default`, which a server takes where a request names none, is the
    signature of the texts of one task, `default`. The names of a task's
    labels are in `assets/labels.mnli.txt`, where what is no letter or digit of
    a task's name is spelled as in a URL.

    A folder is written and overwritten as `to_saved_model` does.

    Args:
        model: `keras_distill.models.MultiTaskModel`, whose tasks have
            preprocessors.
        path: string or path. The folder to write, its last part the version:
            `"serving/1"`.
        tasks: optional sequence of `keras_distill.tasks.Task`, or their
            names; or dict of the model's name of a task to one of them. Where
            label names and text columns come from when they are not given,
            and what the answers are. A regression needs none.
        label_names: optional dict of task name to label names, in the order
            of the outputs.
        text_columns: optional dict of task name to one or two names of text
            inputs. Defaults to the task's, else to `("text",)`.
        sequence_length: optional dict of task name to int. Longest row,
            special tokens included. Defaults to the preprocessor's.
        default: optional string. The task that `serving_default` answers.
            Defaults to the first one.
        warm_up_texts: optional dict of task name to texts, or pairs of texts,
            that TF Serving sends when it loads the model. Defaults to three
            English ones.
        overwrite: bool. Whether to replace an earlier export at `path`.
            Defaults to `False`.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: an argument names none of the model's tasks or does not
            fit its model, or `path` may not be overwritten.
        OSError: the disk is full or cannot be written.

    Example:

    ```python
    import keras_hub
    import tensorflow as tf
    import keras_distill

    tokenizer = keras_hub.models.BertTokenizer(
        vocabulary="[PAD] [UNK] [CLS] [SEP] [MASK] a fine dull film".split(),
        lowercase=True,
    )
    get_task = keras_distill.tasks.get_task
    tasks = [get_task("mnli"), get_task("sst2"), get_task("stsb")]
    model = keras_distill.models.MultiTaskModel.for_tasks(
        keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=2,
            num_heads=2,
            hidden_dim=16,
            intermediate_dim=32,
            max_sequence_length=64,
        ),
        keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=64
        ),
        tasks,
        heads={"mnli": "stochastic_answer"},
    )
    keras_distill.export.to_multi_task_saved_model(
        model, "serving/1", tasks=tasks
    )
    served = tf.saved_model.load("serving/1")
    print(sorted(served.signatures))
    answer = served.signatures["sst2"](sentence=tf.constant(["A fine film."]))
    print(answer["label"].numpy())
    ```
    """
    if not isinstance(model, MultiTaskModel):
        raise ValueError(
            "`model` must be a MultiTaskModel; `to_saved_model` is for one "
            f"task. Received: an object of type {type(model).__name__}"
        )
    path = local_path(path).absolute()
    names = list(model.task_models)
    _check_names(names)
    if default is None:
        default = names[0]
    check_choice("default", default, names)
    of_tasks = {
        "task": _by_name(tasks),
        "label_names": label_names,
        "text_columns": text_columns,
        "sequence_length": sequence_length,
    }
    for argument, values in (
        *of_tasks.items(),
        ("warm_up_texts", warm_up_texts),
    ):
        _check_is_of_tasks(argument, values, names)
    served = {}
    for name, classifier in model.task_models.items():
        own = {k: values.get(name) for k, values in of_tasks.items() if values}
        try:
            served[name] = Served.of(
                classifier,
                Interface.of(classifier, **own),
                (warm_up_texts or {}).get(name),
                num_signatures=2 * len(names) + 1,
            )
        except ValueError as error:
            raise ValueError(f"Of task {name!r}: {error}") from error
    check_path(path, overwrite)
    signatures = {SERVING_DEFAULT: (served[default], SERVING_DEFAULT)}
    for name, one in served.items():
        signatures[name] = (one, SERVING_DEFAULT)
        signatures[_of_token_ids(name)] = (one, TOKEN_IDS)
    labels = {
        f"labels.{urllib.parse.quote(name, safe='')}.txt": (
            one.interface.label_names
        )
        for name, one in served.items()
    }
    return write_served_folder(path, signatures, labels, overwrite)


def _of_token_ids(name):
    return f"{name}/{TOKEN_IDS}"


def _check_names(names):
    taken = [SERVING_DEFAULT, *map(_of_token_ids, names)]
    for name in names:
        if name in taken:
            raise ValueError(
                f"`model` must not have a task of the name {name!r}, which is "
                "that of another signature."
            )


def _by_name(tasks):
    """Tasks by the names that the model has for them."""
    if tasks is None:
        return None
    if isinstance(tasks, Mapping):
        return {name: _resolved(task) for name, task in tasks.items()}
    return {task.name: task for task in map(_resolved, tasks)}


def _resolved(task):
    return get_task(task) if isinstance(task, str) else task


def _check_is_of_tasks(argument, values, names):
    argument = "tasks" if argument == "task" else argument
    if values is None:
        return
    if not isinstance(values, Mapping) or not set(values) <= set(names):
        raise ValueError(
            f"`{argument}` must be by the names of the model's tasks, "
            f"{', '.join(names)}. Received: "
            f"{list(values) if isinstance(values, Mapping) else values!r}"
        )
