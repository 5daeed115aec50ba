"""Fine-tuning on a task: `python -m recipes.mobilebert.fine_tuning ...`.

What recipes.mobilebert leaves, student and teacher, is fine-tuned on the
labels of a task at each of some learning rates; the best on the dev split are
kept and reported on side by side.
"""

import dataclasses
import gc
import sys

import keras

from keras_distill import teachers
from keras_distill.io.saving import local_path
from recipes.common.command_line import recipe_command
from recipes.common.experiment import Experiment
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import GlueOptions
from recipes.common.option_groups import SelectionOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import option
from recipes.common.reading import check_folders

# Where a run of recipes.mobilebert has its encoders.
ENCODERS = {"teacher": "encoders/teacher", "student": "encoders/student"}


@dataclasses.dataclass(frozen=True)
class Config(DeviceOptions, TrainingOptions, GlueOptions, SelectionOptions):
    """The settings of a run: fine-tuning of pre-trained encoders.

    The paper's values are of Sun et al. 2020,
    https://arxiv.org/abs/2004.02984, which tells ranges.
    """

    # All of it at once is for recipes that have a teacher of each task.
    runs_glue = False

    pretrained: str = option(
        "runs/mobilebert",
        "folder of a run of recipes.mobilebert, whose student and teacher are "
        "fine-tuned; or a single encoder: KerasHub preset, Hugging Face "
        "folder, or 'minilm'",
        "MobileBERT",
    )
    task: str = option(
        "sst2",
        "the task: one of keras_distill.tasks, several with the same labels "
        "joined by +, or tags of words, such as 'wikiann:en,de'",
        "GLUE's nine",
    )
    student_only: bool = option(
        False, "leave the teacher out, of a folder that has one"
    )
    batch_size: int = like(
        TrainingOptions,
        "batch_size",
        help="examples in a step of the fine-tuning",
        paper="16, 32 or 48",
    )
    epochs: int = option(
        3,
        "most epochs of the fine-tuning; the best is kept",
        "2 to 10",
        minimum=1,
    )
    rates: str = option(
        "1e-4",
        "peak learning rates of the fine-tuning, by commas: each is tried, "
        "and the best on what epochs are chosen on is kept",
        "1e-5 to 1e-4",
    )

    @property
    def rate_values(self):
        """The learning rates."""
        return [float(rate) for rate in self.rates.split(",")]

    def check(self):
        """Raises on what does not go together."""
        super().check()
        check_folders([] if self.data else [self.task], self)
        try:
            rates = self.rate_values
        except ValueError:
            rates = []
        if not rates or min(rates) <= 0 or len(set(rates)) < len(rates):
            raise ValueError(
                "--rates must be different numbers of more than 0, by commas, "
                f"such as 5e-5,1e-4. Received: {self.rates!r}"
            )


def run(config, run_dir, quiet=False, resume=True):
    """Runs the fine-tuning, or the rest of it, and writes its folder.

    Args:
        config: `Config`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.

    Returns:
        What `Experiment.finish` returns.
    """
    folders = encoders(config)
    with Experiment.begin(
        config, run_dir, quiet, resume, ["serving"]
    ) as experiment:
        examples = experiment.read(config.main_task)
        with experiment.scope:
            made = {
                name: fine_tune(experiment, examples, name, folder)
                for name, folder in folders.items()
            }
        models = {name: model for name, (model, _) in made.items()}
        return experiment.finish(
            f"MobileBERT: {config.pretrained} on {examples.task.name}",
            models,
            examples,
            of_student=[made["student"][1]],
            notes=[
                f"The {name} has the weights of stage '{stage}', the best of "
                f"{len(config.rate_values)} learning rates."
                for name, (_, stage) in made.items()
            ],
        )


def encoders(config):
    """Where the encoders are that are fine-tuned, by what they are."""
    root = local_path(config.pretrained)
    found = {
        name: str(root / folder)
        for name, folder in ENCODERS.items()
        if (root / folder).is_dir()
    }
    if "student" not in found:
        return {"student": config.pretrained}
    if config.student_only:
        found.pop("teacher", None)
    return found


def fine_tune(experiment, examples, name, folder):
    """Fine-tunes an encoder at each rate; returns the best and its stage."""
    config = experiment.config
    best = None
    for rate in config.rate_values:
        model = load_encoder(config, examples.task, folder)
        data = experiment.tokenize(examples, model.preprocessor)
        stage = f"{name}-{rate:g}"
        experiment.run(
            [experiment.label_stage(stage, model, data, rate, config.epochs)]
        )
        score = experiment.results[stage].best[data.task.selection_metric]
        if best is None or score > best[0]:
            best = score, model, stage
        # Models hold themselves in circles.
        del model
        gc.collect()
    score, model, stage = best
    experiment.folder.say(
        f"The {name} keeps stage '{stage}', {data.task.selection_metric} "
        f"{score:.4f} on the {data.validation_name}"
    )
    return model, stage


def load_encoder(config, task, folder):
    """A classifier of a task on an encoder, with a new head."""
    keras.utils.set_random_seed(config.seed)
    loaded = teachers.load_teacher(
        folder,
        task.num_outputs,
        config.sequence_length or task.sequence_length,
        task.model_class,
    )
    if loaded.has_head:
        raise ValueError(
            f"--pretrained {config.pretrained} has a head that is trained for "
            "a task already. Pass an encoder."
        )
    return loaded.classifier


build_parser, main = recipe_command(
    "recipes.mobilebert.fine_tuning",
    "Fine-tunes what recipes.mobilebert leaves on a task, and leaves a "
    "report, the student and a SavedModel.",
    "runs/mobilebert/task",
    Config,
    run,
)

if __name__ == "__main__":
    sys.exit(main())
