"""How far do errors of lower layers spoil the upper ones?

`python -m recipes.xtremedistil.error_propagation --source sst2 ...`

The same student learns hidden states and attention twice, in as many steps:
all layers at once, and layer by layer. The error of a layer is the share of
the variance of the teacher's hidden states that cannot be read from the
student's by a linear map. It is measured with the student's own lower layers
below it, and with the teacher's hidden states in their place, mapped to what
the student would have made of them: the difference is what came from below.
"""

import dataclasses
import itertools
import shlex
import sys

import keras
import numpy as np
from sklearn.linear_model import LinearRegression

from keras_distill import callbacks
from keras_distill import features
from keras_distill import io
from keras_distill import layer_map
from keras_distill import optimizers
from keras_distill import schedules
from keras_distill import teachers
from recipes.common.command_line import recipe_parser
from recipes.common.command_line import run_recipe
from recipes.common.experiment import Experiment
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import TeacherOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import option
from recipes.common.reading import check_folders
from recipes.common.tables import percent
from recipes.common.training import make_optimizer
from recipes.xtremedistil.config import EncoderOptions
from recipes.xtremedistil.config import SourceOptions
from recipes.xtremedistil.recipe import create_student
from recipes.xtremedistil.stage_list import representation_losses

JOINT = "all layers at once"
PROGRESSIVE = "layer by layer"

# Rows of the dev split, at most, that the linear maps are fitted on, and as
# many that they are measured on.
_MEASURED_ROWS = 400


@dataclasses.dataclass(frozen=True)
class Settings(
    DeviceOptions,
    TrainingOptions,
    EncoderOptions,
    TeacherOptions,
    SourceOptions,
):
    """The recipe's settings, and how the steps are shared out."""

    representation_epochs: int = like(
        EncoderOptions,
        "representation_epochs",
        help="epochs of each of the two students, of hidden states and "
        "attention",
        paper=None,
        minimum=1,
    )
    representation_rate: float = like(
        EncoderOptions,
        "representation_rate",
        help="peak learning rate of both students",
        no_effect_with=(),
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
        dict that JSON can hold: by the name of the way, a list of dicts of
        each layer, see `layer_errors`; or `None` on a machine that trained
        for another one.

    Raises:
        ValueError: If there are fewer steps than phases.
    """
    check_folders([] if config.data else [config.source], config)
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        ("error_propagation.json", "error_propagation.md"),
    ) as experiment:
        folder, students = experiment.folder, {}
        examples = experiment.read(config.main_task)
        with experiment.scope:
            keras.utils.set_random_seed(config.seed)
            teacher = teachers.load_teacher(
                config.teacher,
                examples.task.num_outputs,
                config.sequence_length or examples.task.sequence_length,
                examples.task.model_class,
            ).classifier
            data = experiment.tokenize(examples, teacher.preprocessor)
            for way in (JOINT, PROGRESSIVE):
                students[way] = create_student(experiment, teacher)
                experiment.run(
                    [_stage(way, experiment, data, teacher, students[way])]
                )
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
            found[way] = layer_errors(teacher, student, *halves)
        table = _to_markdown(found)
        command = "python -m recipes.xtremedistil.error_propagation "
        io.write_json(
            folder.path / "error_propagation.json",
            {"command": command + shlex.join(sys.argv[1:]), **found},
        )
        io.write_text(folder.path / "error_propagation.md", table)
        io.make_console(soft_wrap=True, highlight=False).print(table)
    return found


def layer_errors(teacher, student, to_fit, to_measure):
    """What of each layer's error is its own, and what came from below.

    Let `s` and `t` be the hidden states of a student layer and of the teacher
    layer that it has in `top_aligned`, of all real tokens of some rows.
    `error = |t - R s|^2 / |t - mean(t)|^2` on the rows `to_measure`, with the
    linear map `R` that is best on the rows `to_fit`. For `"error_of_its_own"`
    the layer is given `A t'` in place of `s'`, where `t'` and `s'` are those
    of the layer below and `A` is the linear map from `t'` to `s'` that is
    best on `to_fit`; `R` stays. It is the larger of the two where a layer has
    learned to make up for the errors below it.

    Returns:
        list of dict: `"layer"`, from 1, `"error"`, `"error_of_its_own"` and
        the difference, `"from_below"`.
    """
    pairs = layer_map.top_aligned(
        student.backbone.num_layers, teacher.backbone.num_layers
    )
    fitted, measured = (
        _States(teacher, student, examples) for examples in (to_fit, to_measure)
    )
    found = []
    for below, here in itertools.pairwise(pairs):
        read = LinearRegression().fit(
            fitted.student(here[0]), fitted.teacher(here[1])
        )
        imitate = LinearRegression().fit(
            fitted.teacher(below[1]), fitted.student(below[0])
        )
        target = measured.teacher(here[1])
        error = _unexplained(read, measured.student(here[0]), target)
        own = _unexplained(
            read,
            measured.apply(
                student.backbone.transformer_layers[here[0] - 1],
                imitate.predict(measured.teacher(below[1])),
            ),
            target,
        )
        found.append(
            {
                "layer": here[0],
                "error": error,
                "error_of_its_own": own,
                "from_below": error - own,
            }
        )
    return found


class _States:
    """The hidden states of both models on some rows."""

    def __init__(self, teacher, student, examples):
        batch = examples.batches(64, fixed_length=examples.sequence_length)
        self._teacher, self._student = (
            features.FeatureExtractor(
                model, ["hidden_states", "padding_mask"]
            ).predict(batch, verbose=0)
            for model in (teacher, student)
        )
        self._mask = self._teacher["padding_mask"].astype(bool)

    def teacher(self, layer):
        """Of all real tokens: `(tokens, width)`."""
        return self._teacher[_feature(layer)][self._mask]

    def student(self, layer):
        return self._student[_feature(layer)][self._mask]

    def apply(self, layer, states):
        """What a layer makes of the states of all real tokens."""
        padded = np.zeros((*self._mask.shape, states.shape[-1]), "float32")
        padded[self._mask] = states
        made = layer(padded, padding_mask=self._mask)
        return keras.ops.convert_to_numpy(made)[self._mask]


def _feature(layer):
    return f"hidden_states.{layer}" if layer else "embeddings"


def _unexplained(read, states, target):
    """The share of the target's variance that the map does not give."""
    missed = np.sum((target - read.predict(states)) ** 2, dtype="float64")
    spread = np.sum((target - target.mean(axis=0)) ** 2, dtype="float64")
    return float(missed / spread)


def _stage(way, experiment, data, teacher, student):
    """Hidden states and attention, all layers at once or one by one."""
    config = experiment.config
    steps = config.representation_epochs * data.train.num_batches(
        config.batch_size
    )
    num_layers = student.backbone.num_layers
    if steps <= num_layers:
        raise ValueError(
            "There must be a step for each layer of the student and one for "
            f"all. Received: {steps} steps in all of "
            f"--representation-epochs {config.representation_epochs}, "
            f"{num_layers} layers of --student {config.student}. Use more "
            "epochs or a smaller --batch-size."
        )
    of_layer = max(1, int(config.layer_share * steps / num_layers))
    rate = schedules.WarmupLinearDecay(config.representation_rate, steps)
    transfer = ()
    if way == PROGRESSIVE:
        left = steps - num_layers * of_layer
        rate = schedules.JoinedSchedules(
            [
                (
                    schedules.WarmupLinearDecay(
                        config.representation_rate, count
                    ),
                    count,
                )
                for count in (*num_layers * [of_layer], left)
            ]
        )
        transfer = (callbacks.ProgressiveKnowledgeTransfer(steps=of_layer),)
    return experiment.stage(
        way.replace(" ", "-"),
        student,
        data.train,
        config.representation_rate,
        config.representation_epochs,
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
    ways = list(found)
    rows = [
        [str(layers[0]["layer"])]
        + [
            percent(layer[kind])
            for layer in layers
            for kind in ("error", "error_of_its_own", "from_below")
        ]
        for layers in zip(*found.values(), strict=True)
    ]
    kinds = ("error", "of its own", "from below")
    columns = [f"{way}: {kind}" for way in ways for kind in kinds]
    return io.markdown_table(["layer, × 100", *columns], rows)


def build_parser():
    """A parser with the options of the recipe that matter here."""
    return recipe_parser(
        "recipes.xtremedistil.error_propagation",
        "Trains the same student on hidden states and attention "
        "with all layers at once and layer by layer, in as many steps, and "
        "shows what of each layer's error came from the layers below.",
        "runs/error-propagation",
        Settings,
    )


def main(arguments=None):
    """Runs the command line; returns its exit status, as the recipe's does."""
    return run_recipe(build_parser(), Settings, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
