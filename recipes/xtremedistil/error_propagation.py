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
from keras_distill import stages
from keras_distill import teachers
from recipes.common.command_line import RecipeParser
from recipes.common.command_line import add_run_options
from recipes.common.command_line import run_recipe
from recipes.common.options import add_options
from recipes.common.options import option
from recipes.common.training import make_optimizer
from recipes.xtremedistil import stage_list
from recipes.xtremedistil import tables
from recipes.xtremedistil.checks import check_folders
from recipes.xtremedistil.config import OF_TARGETS
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.trainer import Trainer

JOINT = "all layers at once"
PROGRESSIVE = "layer by layer"

# Rows of the dev split, at most, that the linear maps are fitted on, and as
# many that they are measured on.
_MEASURED_ROWS = 400


@dataclasses.dataclass(frozen=True)
class Settings(Config):
    """The recipe's settings, and how the steps are shared out."""

    # What this command does not do.
    without = (
        *OF_TARGETS,
        *("metric", "transfer", "transfer_columns", "transfer_sentences"),
        *("transfer_min_words", "max_transfer_texts"),
        *("retrieve", "retrieve_balance"),
        *("max_dev_examples", "max_scored_examples", "patience"),
        *("teacher_batch_size", "teacher_epochs", "teacher_rate"),
        *("unfreezing", "logits_epochs", "labels_epochs", "head_rate"),
        *("encoder_rate", "schedule", "strategy", "allow_untrained_teacher"),
    )

    representation_epochs: int = option(
        4,
        "epochs of each of the two students, of hidden states and attention",
        minimum=1,
    )
    representation_rate: float = option(
        2e-3, "peak learning rate of both students", "3e-5", above=0
    )
    layer_share: float = option(
        0.5,
        "the share of all steps in which one layer after the other learns; in "
        "the rest all do",
        above=0,
        below=1,
    )


# What it leaves beside what `RunFolder` keeps.
_LEAVES = (
    *("error_propagation.json", "error_propagation.md"),
    *("stages.md", "tokens"),
)


def run(config, run_dir, quiet=False, resume=True):
    """Trains the student both ways, or the rest of it, and measures.

    Args:
        config: `Settings`.
        run_dir: Path of the run's folder, which gets `error_propagation.md`
            and `.json`.
        quiet: bool. Whether to show nothing but the result.
        resume: bool. Whether to go on with the run that is there.

    Returns:
        dict that JSON can hold: by the name of the way, a list of dicts of
        each layer, see `layer_errors`.

    Raises:
        ValueError: If there are fewer steps than phases.
    """
    check_folders([config.source], config)
    with stages.RunFolder(
        run_dir, dataclasses.asdict(config), resume, quiet, _LEAVES
    ) as folder:
        trainer = Trainer(config, folder)
        labelled = trainer.read(config.source)
        trainer.seed()
        teacher = teachers.load_teacher(
            config.teacher,
            labelled.task.num_outputs,
            trainer.length(labelled),
            labelled.task_class,
        ).classifier
        data = trainer.tokenize(labelled, teacher.preprocessor)
        # No stage looks at the dev split. Texts to train on may be of another
        # kind, such as phrases where the dev split has whole sentences.
        rows = np.arange(min(len(data.whole_dev), 2 * _MEASURED_ROWS))
        halves = [data.whole_dev.select(rows[start::2]) for start in (0, 1)]
        found = {}
        for way in (JOINT, PROGRESSIVE):
            student = trainer.create_student(teacher)
            trainer.run([_stage(way, config, data, teacher, student)])
            folder.say(f"Measuring the student that learned {way}")
            found[way] = layer_errors(teacher, student, *halves)
        table = _to_markdown(found)
        io.write_json(
            folder.path / "error_propagation.json",
            {
                "command": "python -m recipes.xtremedistil.error_propagation "
                + shlex.join(sys.argv[1:]),
                **found,
            },
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

    Args:
        teacher: KerasHub task over a BERT backbone.
        student: The same.
        to_fit: Tokenised examples.
        to_measure: Tokenised examples of the same kind.

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


def _stage(way, config, data, teacher, student):
    """Hidden states and attention, all layers at once or one by one."""
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
    return stages.Stage(
        way.replace(" ", "-"),
        student,
        data.train,
        teacher=teacher,
        distillation_losses=stage_list.representation_losses(
            config, teacher, student
        ),
        student_loss_weight=0,
        # So that Adam takes each layer for a new one when its turn comes.
        optimizer=lambda _: optimizers.RateScaleOptimizer(
            make_optimizer(config, rate)
        ),
        epochs=config.representation_epochs,
        batch_size=config.batch_size,
        callbacks=transfer,
    )


def _to_markdown(found):
    ways = list(found)
    rows = [
        [str(layers[0]["layer"])]
        + [
            tables.percent(layer[kind])
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
    parser = RecipeParser(
        prog="python -m recipes.xtremedistil.error_propagation",
        description="Trains the same student on hidden states and attention "
        "with all layers at once and layer by layer, in as many steps, and "
        "shows what of each layer's error came from the layers below.",
    )
    add_run_options(parser, "runs/error-propagation")
    add_options(parser, Settings)
    return parser


def main(arguments=None):
    """Runs the command line.

    Args:
        arguments: Optional list of str. Defaults to the process's own.

    Returns:
        int. The exit status, as that of the recipe.
    """
    return run_recipe(build_parser(), Settings, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
