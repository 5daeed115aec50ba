"""What a run would fail on later is found before its first model trains."""

import gc

import keras_distill
from recipes.common import models
from recipes.common import reading
from recipes.common.models import create_student
from recipes.common.task_data import from_splits
from recipes.common.texts import check_texts
from recipes.xtremedistil.stage_list import representation_losses
from recipes.xtremedistil.stage_list import upper_layers


class Checks:
    """Opens what runs will need, each thing once, and lets go of it.

    With `identify` it hashes what it opens: `task_inputs` has, by the name of
    each task, what tells its examples from others, wherever they come from;
    `teacher_inputs`, by the name of each source, what tells its `"teacher"`
    from others, and the `"encoder"` that students have too, without weights.
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
        matched with it. Nothing is tokenised. Of the configs of one `Checks`,
        only the settings of rows of a study may differ.
        """
        reading.check_folders(config.named_tasks, config)
        source = self._read(config, config.main_task)
        # Before they are read, which may take long.
        for name in config.target_names:
            if reading.get_task(name).model_class is not source.model_class:
                raise ValueError(
                    "--targets must be tags of words where --source is, and "
                    "tasks over texts where it is. Received: "
                    f"source={config.main_task!r}, target={name!r}"
                )
        targets = [self._read(config, name) for name in config.target_names]
        check_texts(config, source)
        name = config.main_task
        if (name, config.student) in self._checked:
            return
        loaded = _check_models(config, source, targets)
        if self._identify and name not in self.teacher_inputs:
            self.teacher_inputs[name] = models.teacher_identity(loaded)
        del loaded
        self._checked.add((name, config.student))
        # Models hold themselves in circles; the next to come are large.
        gc.collect()

    def _read(self, config, name):
        """A task, without its examples, which may be many."""
        if name not in self._tasks:
            task, splits = reading.read_task(name, config, self._quiet)
            examples = from_splits(task, splits, config.select_on)
            if self._identify:
                self.task_inputs[name] = examples.identity()
            # What a metric needs that is not installed is said now and not
            # after training.
            task.chance(examples.dev.labels[:1])
            self._tasks[name] = task
        return self._tasks[name]


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
        length = config.sequence_length or target.sequence_length
        if longest is not None and length > longest:
            raise ValueError(
                f"The teacher in {config.teacher!r} reads at most {longest} "
                f"tokens, the target {target.name} has {length}. Give a "
                "smaller --sequence-length."
            )
    student, _ = create_student(config, teacher, layer_map=upper_layers)
    if config.representation_epochs:
        keras_distill.Distiller(
            teacher,
            student,
            representation_losses(config, teacher, student),
            student_loss_weight=0,
        )
    return loaded
