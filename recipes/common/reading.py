"""Opens the tasks of a recipe by their names."""

from keras_distill import tasks
from keras_distill.checks.arguments import did_you_mean
from keras_distill.io.saving import local_path
from recipes.common.options import flag

# All tasks of GLUE, one after the other.
GLUE = "glue"


def get_task(name):
    """A task without its data."""
    if _is_of_languages(name):
        return tasks.tagging_task(name, tasks.WIKIANN_TAGS)
    return tasks.get_task(name)


def check_task(name):
    """Raises on a task that does not exist."""
    if _is_of_languages(name):
        # A folder of one's own.
        return
    # The diagnostic set has nothing to train on.
    known = [one for one in tasks.task_names() if one != "ax"]
    for part in name.split("+"):
        # One that ends so is the file of a task of one's own.
        if part not in known and not part.endswith(".json"):
            raise ValueError(
                f"There is no task {part!r}{did_you_mean(part, known)}. "
                f"Known are {', '.join(known)}, tags such as 'wikiann:en,de' "
                f"and files such as mails.json. Received: {name!r}"
            )
    # Raises where the labels of joined ones are not the same.
    tasks.get_task(name)


def check_metric(name, metric):
    """Raises on a metric that does not fit a task."""
    select_by(get_task(name), metric)


def select_by(task, metric):
    """A task whose models are compared by the metric of a configuration."""
    if metric is None:
        return task
    try:
        return task.selected_by(metric)
    except ValueError as error:
        raise ValueError(
            f"--metric does not fit {task.name}: {error}"
        ) from None


def read_task(name, options, quiet=False):
    """Opens a task and its splits.

    Args:
        name: str. A task of `keras_distill.tasks`, several with the same
            labels joined by `+`, or tags of words, such as `"wikiann:en,de"`:
            a folder and its languages, or several such joined by `+`. The
            folder lies in the data folder or in its folder `ner`; without
            one WikiAnn comes from TensorFlow Datasets. Tags other than
            WikiAnn's are those of the training files. Or `options.data`.
        options: `DataOptions`.
        quiet: bool. Whether to leave out the progress of reading.

    Returns:
        `keras_distill.tasks.Task` and a mapping of split name to examples.
    """
    of_files = {
        "skip_bad_rows": options.skip_bad_rows,
        "encoding": options.encoding,
    }
    if name == options.data:
        return _read_own(options, quiet, of_files)
    if _is_of_languages(name):
        return _read_tags(name, options.data_dir, quiet, of_files)
    loaded = []
    for part in name.split("+"):
        folder = _folder(part, options)
        # Other tasks of the run may be of files, where this one is not.
        loaded.append(
            tasks.load(part, folder, **({} if folder is None else of_files))
        )
    return tasks.join_tasks(*loaded) if len(loaded) > 1 else loaded[0]


def read_augmented(task, options):
    """Reads the augmented rows of a task.

    Args:
        task: `keras_distill.tasks.Task`.
        options: `DataOptions` with `augmented`.

    Returns:
        Examples.
    """
    try:
        return tasks.read_rows(
            task,
            options.augmented,
            options.label_column,
            options.label_separator,
            options.encoding,
            options.skip_bad_rows,
        )
    except ValueError as error:
        raise ValueError(f"--augmented: {error}") from error


def check_folders(names, options):
    """Raises on a folder that no task is read from."""
    for name, reads in (("glue_dir", reads_glue), ("data_dir", reads_data)):
        folder = getattr(options, name)
        if folder is not None and not reads(names, options):
            raise ValueError(
                f"{flag(name)} has no effect where no task is read from it. "
                f"Received: {flag(name)} {folder} for "
                f"{', '.join(names) or options.data}"
            )


def reads_glue(names, options):
    """Whether a task among some is read from the folder of GLUE."""
    return any(
        part in tasks.GLUE_TASKS
        or (options.data_dir is None and part in tasks.FOLDER_TASKS)
        for part in _parts(names)
    )


def reads_data(names, options):
    """Whether a task among some is read from the data folder."""
    return any(
        _is_of_languages(part)
        or part in tasks.FOLDER_TASKS
        or (options.glue_dir is None and part in tasks.GLUE_TASKS)
        for part in _parts(names)
    )


def _parts(names):
    """The tasks that joined ones are of; those of tags as they are."""
    if GLUE in names:
        return tuple(tasks.GLUE_TASKS)
    return [
        part
        for name in names
        for part in ([name] if _is_of_languages(name) else name.split("+"))
    ]


def _is_of_languages(name):
    """Whether a task is a folder of tagged files, a language each."""
    return ":" in name


def _folder(name, options):
    folders = [options.data_dir, options.glue_dir]
    if name in tasks.GLUE_TASKS:
        folders.reverse()
    elif name not in tasks.FOLDER_TASKS:
        return None
    return folders[1] if folders[0] is None else folders[0]


def _read_own(options, quiet, of_files):
    columns = options.text_column
    if columns is not None:
        columns = tuple(name.strip() for name in columns.split(","))
    return tasks.load_data(
        options.data,
        text_columns=columns,
        label_column=options.label_column,
        id_column=options.id_column,
        kind=options.kind,
        label_separator=options.label_separator,
        quiet=quiet,
        **of_files,
    )


def _read_tags(name, data_dir, quiet, of_files):
    asked = [part.partition(":") for part in name.split("+")]
    pairs = [
        (folder, language)
        for folder, _, languages in asked
        for language in languages.split(",")
    ]
    languages = [language for _, language in pairs]
    if not all(languages) or len(set(languages)) < len(languages):
        raise ValueError(
            "Tags need languages after the colon, each once, such as "
            f"wikiann:en,de. Received: {name!r}"
        )
    if data_dir is None:
        if {folder for folder, _ in pairs} != {"wikiann"}:
            raise ValueError(
                "Without a data folder only WikiAnn is known, as "
                f"wikiann:en,de. Received: {name!r}"
            )
        return tasks.load_wikiann(languages, quiet=quiet)
    folders = {
        language: _tag_folder(data_dir, folder) / language
        for folder, language in pairs
    }
    return tasks.load_iob(
        folders,
        label_names=_tags_of(folders, **of_files),
        name=name,
        quiet=quiet,
        **of_files,
    )


def _tag_folder(data_dir, name):
    below = local_path(data_dir) / "ner" / name
    return below if below.is_dir() else local_path(data_dir) / name


def _tags_of(folders, **of_files):
    """WikiAnn's tags, in their order, unless the files have others."""
    found = tasks.find_tags(folders, **of_files)
    known = tasks.WIKIANN_TAGS
    return known if set(found) <= set(known) else found
