"""What a run would fail on later is found before its first model trains."""

import gc

import keras_distill
from keras_distill import tasks
from recipes.common.options import flag
from recipes.xtremedistil import inputs
from recipes.xtremedistil import models
from recipes.xtremedistil import stage_list
from recipes.xtremedistil.labelled_task import TaggingTask
from recipes.xtremedistil.labelled_task import read_task
from recipes.xtremedistil.labelled_task import task_class_of
from recipes.xtremedistil.trainer import text_files


class Checks:
    """Opens what runs will need, each thing once, and lets go of it.

    Args:
        quiet: bool. Whether to leave out the progress of reading. Defaults to
            `False`.
        identify: bool. Whether to hash what is opened. Defaults to `False`.

    Attributes:
        task_inputs: dict of the name of each task to what `inputs.of_task`
            returns, if they are hashed.
        teacher_inputs: dict of the name of each source to what
            `inputs.of_teacher` returns, if they are hashed.
    """

    def __init__(self, quiet=False, identify=False):
        self.task_inputs = {}
        self.teacher_inputs = {}
        self._quiet = quiet
        self._identify = identify
        self._tasks = {}
        self._checked = set()

    def check(self, config):
        """Raises on what one run would fail on.

        All its tasks are read, of its unlabelled texts the first one; the
        student is made from the teacher as it is before its fine-tuning, and
        matched with it. Nothing is tokenised.

        Args:
            config: `Config`. Of the configs of one `Checks`, only the
                settings of rows of a study may differ.

        Raises:
            ValueError: If a task or a text is not there, or something does
                not go with something else.
        """
        _check_kinds(config)
        source = self._read(config, config.source)
        targets = [self._read(config, name) for name in config.target_names]
        if config.transfer is not None:
            _check_texts(config, source)
        key = (config.source, config.student)
        if key not in self._checked:
            loaded = _check_models(config, source, targets)
            if self._identify and config.source not in self.teacher_inputs:
                self.teacher_inputs[config.source] = inputs.of_teacher(loaded)
            del loaded
            self._checked.add(key)
            # Models hold themselves in circles; the next to come are large.
            gc.collect()

    def _read(self, config, name):
        if name not in self._tasks:
            labelled = read_task(
                name,
                config.data_dir,
                config.glue_dir,
                self._quiet,
                skip_bad_rows=config.skip_bad_rows,
                encoding=config.encoding,
            )
            if self._identify:
                self.task_inputs[name] = inputs.of_task(labelled)
            self._tasks[name] = labelled.emptied()
        return self._tasks[name]


def check_folders(names, config):
    """Raises on a folder that no task is read from.

    Args:
        names: sequence of str. All tasks of a run or of a study.
        config: `Config` with `data_dir` and `glue_dir`.

    Raises:
        ValueError: If a folder is given and would not be looked into.
    """
    for name, reads in (("glue_dir", reads_glue), ("data_dir", reads_data)):
        folder = getattr(config, name)
        if folder is not None and not reads(names, config):
            raise ValueError(
                f"{flag(name)} has no effect where no task is read from it. "
                f"Received: {flag(name)} {folder} for {', '.join(names)}"
            )


def reads_glue(names, config):
    """Whether a task among some is read from the folder of GLUE.

    Args:
        names: sequence of str. Tasks.
        config: `Config`. Not looked at.

    Returns:
        bool.
    """
    return any(part in tasks.GLUE_TASKS for part in _parts(names))


def reads_data(names, config):
    """Whether a task among some is read from the data folder.

    Args:
        names: sequence of str. Tasks.
        config: `Config` with `glue_dir`.

    Returns:
        bool.
    """
    return any(
        ":" in part
        or part in tasks.FOLDER_TASKS
        or (config.glue_dir is None and part in tasks.GLUE_TASKS)
        for part in _parts(names)
    )


def _parts(names):
    """The tasks that joined ones are of; those of tags as they are."""
    return [
        part
        for name in names
        for part in ([name] if ":" in name else name.split("+"))
    ]


def _check_kinds(config):
    kind = task_class_of(config.source)
    for name in config.target_names:
        if task_class_of(name) is not kind:
            raise ValueError(
                "--targets must be tags of words where --source is, and tasks "
                f"over texts where it is. Received: source={config.source!r}, "
                f"target={name!r}"
            )


def _check_texts(config, source):
    files = text_files(config)
    # Raises if there is none, or not in the columns that were asked for.
    files.load(1)
    columns = files.num_columns
    is_tagging = isinstance(source, TaggingTask)
    of_source = len(source.task.text_columns)
    if columns > of_source and (is_tagging or config.retrieve is not None):
        raise ValueError(
            f"--transfer-columns must name one column for {config.source}, "
            f"which has no pairs. Received: {config.transfer_columns!r}"
        )
    if config.retrieve is not None:
        source.label_balance(config.retrieve_balance, columns)
        tasks.retrieval.load_sentence_encoder()


def _check_models(config, source, targets):
    """Raises on models that do not fit; returns the `LoadedTeacher`."""
    loaded = models.load_teacher(config, source)
    teacher = loaded.classifier
    if loaded.has_head and targets and config.task_distillation != "none":
        raise ValueError(
            "--task-distillation needs a --teacher without a trained head, "
            f"which each target fine-tunes. Received: {config.teacher!r} with "
            f"a head, task_distillation={config.task_distillation!r}"
        )
    longest = getattr(teacher.backbone, "max_sequence_length", None)
    for target in targets:
        length = config.sequence_length or target.task.sequence_length
        if longest is not None and length > longest:
            raise ValueError(
                f"The teacher in {config.teacher!r} reads at most {longest} "
                f"tokens, the target {target.task.name} has {length}. Give a "
                "smaller --sequence-length."
            )
    student, _ = models.create_student(config, teacher)
    if config.representation_epochs:
        keras_distill.Distiller(
            teacher,
            student,
            stage_list.representation_losses(config, teacher, student),
            student_loss_weight=0,
        )
    return loaded
