"""The unlabelled texts that a student learns from beside a teacher."""

import numpy as np

from keras_distill import tasks


def transfer_texts(experiment, examples, data, preprocessor):
    """The texts of the stages without labels.

    Args:
        experiment: `recipes.common.experiment.Experiment`, whose
            configuration has `TextOptions`.
        examples: `recipes.common.task_data.TaskData` as it was read, which
            retrieved texts are like.
        data: The same, tokenised, whose training texts are the default.
        preprocessor: The KerasHub preprocessor of the model that reads them.

    Returns:
        The examples as they were read, and tokenised.
    """
    config, task = experiment.config, examples.task
    if config.transfer is None:
        return examples.train, data.train
    experiment.folder.say(f"Reading the texts of {config.transfer}")
    files = text_files(config)
    if config.retrieve is None:
        found = files.load(config.max_transfer_texts)
    else:
        columns = files.num_columns
        found = tasks.retrieval.retrieve(
            queries(task, examples.train, columns),
            files,
            config.retrieve,
            label_balance=label_balance(task, config.retrieve_balance, columns),
            exclude=[queries(task, examples.dev, columns)],
            cache_dir=experiment.cache_dir / "embeddings",
            quiet=experiment.folder.quiet,
        ).examples
    experiment.folder.say(f"{len(found)} unlabelled texts")
    found = task.unlabelled(found)
    return found, task.tokenize(
        found,
        preprocessor,
        config.sequence_length or task.sequence_length,
        experiment.cache_dir / "tokens",
    )


def text_files(config):
    """The unlabelled texts of a configuration.

    Args:
        config: `TextOptions`.

    Returns:
        `keras_distill.tasks.TextFiles`.

    Raises:
        ValueError: If there is no such file.
    """
    return tasks.TextFiles(
        config.transfer,
        columns=_columns(config.transfer_columns),
        split_sentences=config.transfer_sentences,
        min_words=config.transfer_min_words,
        encoding=config.encoding,
        skip_bad_rows=config.skip_bad_rows,
    )


def check_texts(config, task):
    """Raises on texts that are not there or do not go with a task.

    Args:
        config: `TextOptions`.
        task: `keras_distill.tasks.Task`.
    """
    if config.transfer is None:
        return
    files = text_files(config)
    # Raises if there is none, or not in the columns that were asked for.
    taken = task.texts(task.unlabelled(files.load(1)))
    if files.num_columns > len(task.text_columns) and (
        config.retrieve is not None or len(taken) < files.num_columns
    ):
        raise ValueError(
            f"--transfer-columns must name one column for {config.main_task}, "
            f"which has no pairs. Received: {config.transfer_columns!r}"
        )
    if config.retrieve is not None:
        label_balance(task, config.retrieve_balance, files.num_columns)
        tasks.retrieval.load_sentence_encoder()


def queries(task, examples, num_columns):
    """Examples of a task, to look for such texts as are like them.

    Args:
        task: `keras_distill.tasks.Task`.
        examples: Its examples.
        num_columns: int. 1, which makes two texts of each pair, or 2.

    Returns:
        `keras_distill.tasks.Examples`, with labels if texts have one class.
    """
    if _have_classes(task, num_columns):
        return examples
    texts = task.texts(examples)
    if len(texts) != num_columns:
        texts = (list(dict.fromkeys(text for one in texts for text in one)),)
    return tasks.Examples(texts)


def label_balance(task, text, num_columns):
    """How the texts that are looked for are divided among the classes.

    Args:
        task: `keras_distill.tasks.Task`.
        text: str, `"equal"`, `"examples"` or `<class>=<share>` of each class
            by commas; or `None` for the default.
        num_columns: int. As for `queries`.

    Returns:
        What `keras_distill.tasks.retrieval.retrieve` takes.

    Raises:
        ValueError: If the queries have no classes, or it does not name each
            of them once.
    """
    if text is None:
        return "equal"
    if not _have_classes(task, num_columns):
        raise ValueError(
            "--retrieve-balance needs examples with one class each, in as "
            "many columns as the unlabelled texts have. Received: "
            f"{text!r} for {task.name} and {num_columns} columns"
        )
    if text in ("equal", "examples"):
        return text
    names = task.class_names
    parts = [part.partition("=") for part in text.split(",")]
    shares = {name.strip(): share for name, _, share in parts}
    try:
        if len(shares) < len(parts) or set(shares) != set(names):
            raise ValueError
        numbers = [float(shares[name]) for name in names]
        if not all(0 <= number < np.inf for number in numbers):
            raise ValueError
        if not any(numbers):
            raise ValueError
        return numbers
    except ValueError:
        raise ValueError(
            "--retrieve-balance must be equal, examples or a share of "
            "each class, none negative and not all 0, such as "
            f"{','.join(f'{name}=1' for name in names)}. "
            f"Received: {text!r}"
        ) from None


def _have_classes(task, num_columns):
    """Whether the queries have one class each."""
    return (
        task.class_names is not None and len(task.text_columns) == num_columns
    )


def _columns(text):
    """Names of columns, or places if all are numbers."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if all(name.isdigit() for name in names):
        return tuple(map(int, names))
    return tuple(names)
