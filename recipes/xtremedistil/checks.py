"""What a run would fail on later is found before its first model trains."""

import gc

import keras_distill
from keras_distill.stages.identity import data_identity
from recipes.common.models import create_student
from recipes.common.models import load_teacher
from recipes.common.models import teacher_identity
from recipes.common.reading import get_task
from recipes.common.reading import read_task
from recipes.common.task_data import from_splits
from recipes.common.texts import check_texts
from recipes.xtremedistil.stage_list import representation_losses
from recipes.xtremedistil.stage_list import upper_layers


class Checks:
    """Opens what runs will need, each thing once, and lets go of it.

    Args:
        quiet: bool. Whether to leave out the progress of reading. Defaults to
            `False`.
        identify: bool. Whether to hash what is opened. Defaults to `False`.

    Attributes:
        task_inputs: dict of the name of each task to what tells its examples
            from others, wherever they come from, if they are hashed.
        teacher_inputs: dict of the name of each source to what tells its
            `"teacher"` from others, and the `"encoder"` that students have
            too, the latter without weights; if they are hashed.
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
        source = self._read(config, config.main_task)
        check_kinds(config, source)
        targets = [self._read(config, name) for name in config.target_names]
        check_texts(config, source)
        name = config.main_task
        key = (name, config.student)
        if key not in self._checked:
            loaded = _check_models(config, source, targets)
            if self._identify and name not in self.teacher_inputs:
                self.teacher_inputs[name] = teacher_identity(loaded)
            del loaded
            self._checked.add(key)
            # Models hold themselves in circles; the next to come are large.
            gc.collect()

    def _read(self, config, name):
        """A task, without its examples, which may be many."""
        if name not in self._tasks:
            task, splits = read_task(name, config, self._quiet)
            examples = from_splits(task, splits, config.select_on)
            if self._identify:
                self.task_inputs[name] = {
                    "train": data_identity(examples.train),
                    "dev": data_identity(examples.dev),
                    **{
                        split: data_identity(rows)
                        for split, rows in examples.further.items()
                    },
                    "label_names": task.label_names,
                }
            # What a metric needs that is not installed is said now and not
            # after training.
            task.chance(examples.dev.labels[:1])
            self._tasks[name] = task
        return self._tasks[name]


def check_kinds(config, source):
    """Raises on targets that have other models than the source."""
    for name in config.target_names:
        if get_task(name).model_class is not source.model_class:
            raise ValueError(
                "--targets must be tags of words where --source is, and tasks "
                "over texts where it is. Received: "
                f"source={config.main_task!r}, target={name!r}"
            )


def _check_models(config, source, targets):
    """Raises on models that do not fit; returns the `LoadedTeacher`."""
    loaded = load_teacher(config, source)
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
