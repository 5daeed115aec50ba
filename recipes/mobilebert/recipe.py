"""MobileBERT: a thin student follows its inverted-bottleneck teacher.

An inverted-bottleneck BERT is pre-trained; a MobileBERT, as deep and as wide
between its blocks, follows it layer by layer and is pre-trained with its
predictions; and is fine-tuned on tasks, where the teacher is not needed.
"""

import gc

import keras
import numpy as np

from keras_distill import corpora
from keras_distill import evaluation
from keras_distill import export
from keras_distill import io
from recipes.common.experiment import Experiment
from recipes.common.tables import percent
from recipes.common.tables import show_table
from recipes.mobilebert import fine_tuning
from recipes.mobilebert.plan import show_plan
from recipes.mobilebert.pretrained_models import make_student
from recipes.mobilebert.pretrained_models import make_teacher
from recipes.mobilebert.transfer import STAGES
from recipes.mobilebert.transfer import student_stages
from recipes.mobilebert.transfer import teacher_stage

_RESULT = "pretraining.json"
_LEAVES = ("corpus", "encoders", "pretrained", _RESULT, "pretraining.md")


def run(config, run_dir, quiet=False, resume=True):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder has `pretrained/student` and `pretrained/teacher` then, with the
    heads of their pre-training, `encoders/` with both without heads, and
    `pretraining.json`; and a folder for each task.

    Args:
        config: `Config`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.

    Returns:
        dict, the content of `pretraining.json`; `None` on a machine that
        trained for another one, or where a plan was asked for.
    """
    if config.plan:
        show_plan(config, quiet)
        return None
    leaves = [*_LEAVES, *config.task_names]
    with Experiment.begin(config, run_dir, quiet, resume, leaves) as experiment:
        with experiment.scope:
            made, rows = pretrain(experiment)
        path = experiment.folder.path
        found = None
        if experiment.folder.writes:
            found = finish(experiment, made, rows)
    del made, rows, experiment
    for task in config.task_names:
        # Models hold themselves in circles.
        gc.collect()
        fine_tuning.run(config.tuning(task, path), path / task, quiet, resume)
    return found


def pretrain(experiment):
    """Trains teacher and student; returns them, and the rows held out."""
    config = experiment.config
    teacher = make_teacher(config)
    student, start = make_student(config, teacher)
    rows_of, held_out = read_rows(experiment, student)
    listed = student_stages(config, teacher, student, rows_of)
    if teacher is not None and config.teacher is None:
        # Whether the student can follow such a teacher: better known now than
        # when that is trained.
        listed[0].build()
        experiment.run([teacher_stage(config, teacher, rows_of(STAGES[0]))])
        student, start = make_student(config, teacher)
        listed = student_stages(config, teacher, student, rows_of)
    experiment.folder.say(start)
    experiment.run(listed)
    made = {"student": student}
    if teacher is not None:
        made = {"teacher": teacher, **made}
    return made, held_out


def read_rows(experiment, model):
    """What each stage trains on, by its name, and rows to measure on."""
    config = experiment.config
    corpus = experiment.read_corpus(model.preprocessor)
    documents = np.arange(len(corpus.documents) - 1)
    rows = config.held_out_rows * config.max_length
    every = max(len(corpus.pieces) // rows, 2)
    is_held_out = documents % every == 0

    def some(chosen, seed):
        return corpora.MaskedSentencePairs(
            corpus,
            config.max_length,
            rate=config.mask_rate,
            max_predictions_per_row=config.max_predictions,
            whole_words=config.whole_words,
            random_next=config.random_next,
            short=config.short_rows,
            seed=seed,
            inputs=tuple(model.backbone.input),
            documents=documents[chosen],
        )

    if is_held_out.all():
        raise ValueError(
            "--corpus needs two documents at least, one to measure on. "
            f"Received: {config.corpus} with {corpus}"
        )
    held_out = some(is_held_out, config.seed)
    experiment.folder.say(
        f"The corpus has {corpus}; {len(held_out):,} rows of "
        f"{is_held_out.sum():,} documents are held out"
    )

    def rows_of(stage):
        # Each stage begins with other rows.
        return some(~is_held_out, config.seed + STAGES.index(stage))

    return rows_of, held_out


def finish(experiment, made, held_out):
    """Writes the models, measures them, and says what it took."""
    config, folder = experiment.config, experiment.folder
    made = experiment.portable(made)
    found = {
        "models": {
            name: measure(config, model, held_out)
            for name, model in made.items()
        },
        "stages": {
            name: {"seconds": done.seconds, "history": done.history}
            for name, done in experiment.results.items()
        },
        "held_out_rows": len(held_out),
        "corpus": str(held_out.corpus),
        "command": folder.command,
        "config": config.settings(),
    }
    for name, model in made.items():
        path = folder.path / "pretrained" / name
        if not path.exists():
            export.to_preset(model, path)
        path = folder.path / fine_tuning.ENCODERS[name]
        if not path.exists():
            export.to_encoder_preset(model, path)
    io.write_json(folder.path / _RESULT, io.plain(found))
    show_table(folder.path / "pretraining.md", _table(config, found))
    return found


def measure(config, model, rows):
    """A model's size, and how well it predicts on rows that are held out."""
    found = {
        "parameters": model.count_params(),
        "encoder_parameters": model.backbone.count_params(),
        "flops": evaluation.count_flops(model.backbone, config.max_length),
    }
    if not isinstance(model.output, dict) or "masked_lm" not in model.output:
        # A teacher without the heads of its pre-training.
        return found
    # Not what it was trained with, which keeps an optimizer.
    model.compile()
    scores = keras.Model.evaluate(
        model, rows.batches(config.batch_size), verbose=0, return_dict=True
    )
    return found | {
        "masked_lm_accuracy": scores["masked_lm_sparse_categorical_accuracy"],
        "next_sentence_accuracy": scores[
            "next_sentence_sparse_categorical_accuracy"
        ],
        "loss": scores["loss"],
    }


def _table(config, found):
    """What was trained, side by side."""
    header = ("", "encoder weights", f"GFLOPs of {config.max_length} tokens")
    header += ("masked words, %", "next sentence, %")
    rows = []
    for name, one in found["models"].items():
        rows.append(
            [
                name,
                f"{one['encoder_parameters']:,}",
                f"{one['flops'] / 1e9:.3g}",
                percent(one.get("masked_lm_accuracy")),
                percent(one.get("next_sentence_accuracy")),
            ]
        )
    return io.markdown_table(header, rows)
