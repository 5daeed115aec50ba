"""TinyBERT's general distillation: a student of a pre-trained encoder.

`python -m recipes.tinybert.general --corpus texts --run-dir runs/general`

The student follows the embeddings, the hidden states and the attention of a
teacher that no task has fine-tuned, over a large corpus of plain text. There
are no labels and no predictions. What it leaves is an encoder, which
`--student-from` of every recipe starts from.
"""

import sys

import keras

from keras_distill import corpora
from keras_distill import export
from keras_distill import io
from keras_distill import losses
from keras_distill import teachers
from recipes.common.attention import follow_attention
from recipes.common.command_line import recipe_command
from recipes.common.experiment import Experiment
from recipes.common.layer_maps import check_layer_map
from recipes.common.layer_maps import parse_layer_map
from recipes.common.models import check_reads_corpus
from recipes.common.training import tokens_seen
from recipes.tinybert.general_config import Settings

_STAGE = "general"


def run(config, run_dir, quiet=False, resume=True):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder has `student/` then, a KerasHub preset of the encoder and its
    tokenizer, and `general.json`, beside `corpus/`, the tokenised text.

    Args:
        config: `Settings`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.

    Returns:
        dict, the content of `general.json`; `None` on a machine that trained
        for another one.
    """
    with Experiment.begin(
        config, run_dir, quiet, resume, ["corpus", "general.json"]
    ) as experiment:
        with experiment.scope:
            student, rows = distil(experiment)
        if not experiment.folder.writes:
            return None
        return finish(experiment, student, rows)


def distil(experiment):
    """Trains the student; returns it and the rows that it read."""
    config = experiment.config
    teacher = load_teacher(config)
    student = experiment.student(teacher)
    check_layer_map(config.layer_map, student)
    rows = read_rows(experiment, teacher)

    stage = experiment.stage(
        _STAGE,
        student,
        rows,
        config.rate,
        None if config.steps else config.epochs,
        steps=config.steps,
        teacher=teacher,
        distillation_losses=encoder_losses(config, teacher, student),
        student_loss_weight=0,
        callbacks=[tokens_seen(config, rows)],
    )
    experiment.run([stage])
    return student, rows


def encoder_losses(config, teacher, student):
    """Embeddings and hidden states through one projection, and attention."""
    mapping = parse_layer_map(config.layer_map)
    return [
        losses.HiddenStatesDistillation(
            mapping, include_embeddings=True, projection="shared"
        ),
        follow_attention(teacher, student, mapping),
    ]


def load_teacher(config):
    """The teacher, of which only the encoder counts."""
    keras.utils.set_random_seed(config.seed)
    teacher = teachers.load_teacher(config.teacher, None, 3).classifier
    check_reads_corpus(config, teacher)
    teacher.preprocessor.sequence_length = config.max_length
    return teacher


def read_rows(experiment, teacher):
    """The corpus in rows of pairs of sentences."""
    config = experiment.config
    corpus = experiment.read_corpus(teacher.preprocessor)
    rows = corpora.SentencePairs(
        corpus,
        config.max_length,
        config.random_next,
        config.short_rows,
        config.seed,
        teacher.backbone.input,
    )
    experiment.folder.say(
        f"The corpus has {corpus}: {len(rows):,} rows an epoch, "
        f"{padding(config, rows):.1%} of them padding"
    )
    return rows


def padding(config, rows):
    """The share of padding in the batches of the first epoch."""
    tokens, places = rows.sizes(config.batch_size, config.seed)
    return 1 - tokens.sum() / places.sum()


def finish(experiment, student, rows):
    """Writes the encoder, and what training it took."""
    config, folder = experiment.config, experiment.folder
    result = experiment.results[_STAGE]
    history = result.history
    found = {
        "teacher": config.teacher,
        "student": student.backbone.count_params(),
        "corpus": str(rows.corpus),
        "rows_per_epoch": len(rows),
        "padding": padding(config, rows),
        "tokens": history["tokens"][-1],
        "tokens_per_second": history["tokens_per_second"][-1],
        "seconds": result.seconds,
        "history": history,
        "command": folder.command,
        "config": config.settings(),
    }
    (student,) = experiment.portable({"student": student}).values()
    export.to_encoder_preset(student, folder.path / "student")
    io.write_json(folder.path / "general.json", found)
    io.show(
        f"The student saw {found['tokens']:,.0f} tokens in "
        f"{result.seconds:,.0f} seconds, {found['tokens_per_second']:,.0f} a "
        f"second; its loss came to {history['loss'][-1]:.4g}.\n"
        f"Encoder: {folder.path / 'student'}"
    )
    return found


build_parser, main = recipe_command(
    "recipes.tinybert.general",
    "Distils a pre-trained encoder over plain text with TinyBERT's "
    "general distillation, and leaves an encoder for --student-from.",
    "runs/general",
    Settings,
    run,
)

if __name__ == "__main__":
    sys.exit(main())
