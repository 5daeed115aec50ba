"""How far do errors of lower layers spoil the upper ones?

`python -m recipes.xtremedistil.error_propagation --source sst2 ...`

The same student learns hidden states and attention twice, in as many steps:
all layers at once, and layer by layer. What of each layer's error came from
below is measured as `keras_distill.evaluation.layer_errors` says.
"""

import dataclasses
import sys

import numpy as np

from keras_distill import callbacks
from keras_distill import evaluation
from keras_distill import io
from keras_distill import optimizers
from keras_distill import schedules
from recipes.common import option_groups as groups
from recipes.common.command_line import recipe_command
from recipes.common.experiment import Experiment
from recipes.common.models import load_teacher
from recipes.common.options import inherited
from recipes.common.options import option
from recipes.common.reading import check_folders
from recipes.common.tables import percent
from recipes.common.tables import show_table
from recipes.common.training import make_optimizer
from recipes.xtremedistil.config import EncoderOptions
from recipes.xtremedistil.config import SourceOptions
from recipes.xtremedistil.stage_list import create_student
from recipes.xtremedistil.stage_list import representation_losses

JOINT = "all layers at once"
PROGRESSIVE = "layer by layer"

# Rows of the dev split, at most, that the linear maps are fitted on, and as
# many that they are measured on.
_MEASURED_ROWS = 400


@dataclasses.dataclass(frozen=True)
class Settings(
    groups.DeviceOptions,
    groups.TrainingOptions,
    groups.TeacherOptions,
    EncoderOptions,
    SourceOptions,
):
    """The recipe's settings, and how the steps are shared out."""

    representation_epochs = inherited(
        help="epochs of each of the two students", paper=None, minimum=1
    )
    representation_rate = inherited(
        help="peak learning rate of both students", no_effect_with=()
    )
    layer_share: float = option(
        0.5,
        "the share of all steps in which one layer after the other learns; in "
        "the rest all do",
        above=0,
        below=1,
    )


def run(config, run_dir, quiet=False, resume=True):
    """Trains the student both ways, or the rest of it, and measures.

    Args:
        config: `Settings`.
        run_dir, quiet, resume: As `Experiment.begin` takes them. The folder
            gets `error_propagation.md` and `.json`.

    Returns:
        dict that JSON can hold: what `evaluation.layer_errors` returns, by the
        name of the way; or `None` on a machine that trained for another one.

    Raises:
        ValueError: If there are fewer steps than phases.
    """
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        ("error_propagation.json", "error_propagation.md"),
        check=lambda: check_folders(config.named_tasks, config),
    ) as experiment:
        folder, students = experiment.folder, {}
        examples = experiment.read(config.main_task)
        with experiment.scope:
            # What its head has learned does not matter.
            loaded = load_teacher(config, examples.task, check=False)
            teacher = loaded.classifier
            data = experiment.tokenize(examples, teacher.preprocessor)
            for way in (JOINT, PROGRESSIVE):
                student = students[way] = create_student(experiment, teacher)
                stage = _stage(way, experiment, data, teacher, student)
                experiment.run([stage])
        if not folder.writes:
            return None
        # No stage looks at the dev split. Texts to train on may be of another
        # kind, such as phrases where the dev split has whole sentences.
        rows = np.arange(min(len(data.dev), 2 * _MEASURED_ROWS))
        halves = [data.dev.select(rows[start::2]) for start in (0, 1)]
        made = experiment.portable({"": teacher, **students})
        teacher = made.pop("")
        found = {}
        for way, student in made.items():
            folder.say(f"Measuring the student that learned {way}")
            found[way] = evaluation.layer_errors(teacher, student, *halves)
        path = folder.path / "error_propagation.json"
        io.write_json(path, {"command": folder.command, **found})
        show_table(path.with_suffix(".md"), _to_markdown(found))
    return found


def _stage(way, experiment, data, teacher, student):
    """Hidden states and attention, all layers at once or one by one."""
    config = experiment.config
    epochs, peak = config.representation_epochs, config.representation_rate
    steps = epochs * data.train.num_batches(config.batch_size)
    num_layers = student.backbone.num_layers
    if steps <= num_layers:
        raise ValueError(
            "There must be a step for each layer of the student and one for "
            f"all. Received: {steps} steps in all of --representation-epochs "
            f"{epochs}, {num_layers} layers of --student {config.student}. Use "
            "more epochs or a smaller --batch-size."
        )
    rate, transfer = schedules.WarmupLinearDecay(peak, steps), ()
    if way == PROGRESSIVE:
        of_layer = max(1, int(config.layer_share * steps / num_layers))
        phases = [*num_layers * [of_layer], steps - num_layers * of_layer]
        rate = schedules.JoinedSchedules(
            [(schedules.WarmupLinearDecay(peak, n), n) for n in phases]
        )
        transfer = (callbacks.ProgressiveKnowledgeTransfer(steps=of_layer),)
    return experiment.stage(
        way.replace(" ", "-"),
        student,
        data.train,
        peak,
        epochs,
        teacher=teacher,
        distillation_losses=representation_losses(config, teacher, student),
        student_loss_weight=0,
        # So that Adam takes each layer for a new one when its turn comes.
        optimizer=lambda _: optimizers.RateScaleOptimizer(
            make_optimizer(config, rate)
        ),
        callbacks=transfer,
    )


def _to_markdown(found):
    kinds = ("error", "error_of_its_own", "from_below")
    return io.markdown_table(
        ["layer, × 100"]
        + [
            f"{way}: {kind.removeprefix('error_').replace('_', ' ')}"
            for way in found
            for kind in kinds
        ],
        [
            [str(layers[0]["layer"])]
            + [percent(layer[kind]) for layer in layers for kind in kinds]
            for layers in zip(*found.values(), strict=True)
        ],
    )


build_parser, main = recipe_command(
    "recipes.xtremedistil.error_propagation",
    "Trains the same student on hidden states and attention with all layers "
    "at once and layer by layer, in as many steps, and shows what of each "
    "layer's error came from the layers below.",
    "runs/error-propagation",
    Settings,
    run,
)

if __name__ == "__main__":
    sys.exit(main())
