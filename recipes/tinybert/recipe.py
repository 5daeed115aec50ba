"""TinyBERT's task distillation: two steps, beside a student without a teacher.

In the intermediate step the student follows the teacher's embeddings, hidden
states and attention, in the prediction step its soft targets.
"""

import functools

from keras_distill import losses
from recipes.common.attention import follow_attention
from recipes.common.ensembles import teacher_of
from recipes.common.experiment import Experiment
from recipes.common.glue import run_glue
from recipes.common.layer_maps import check_layer_map
from recipes.common.layer_maps import parse_layer_map
from recipes.common.soft_labels import keep_soft_labels
from recipes.common.soft_labels import read_soft_labels


def run(config, run_dir, quiet=False, resume=True, inputs=None):
    """Runs the recipe, or the rest of it, and writes its folder.

    Args:
        config: `Config`.
        run_dir, quiet, resume, inputs: As `Experiment.begin` takes them.

    Returns:
        What `Experiment.finish` returns, or `run_glue` for all of GLUE.
    """
    if config.is_glue:
        layer_map = parse_layer_map(config.layer_map)
        return run_glue(config, run_dir, run, quiet, resume, layer_map)
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        ["serving", "teacher_features", "soft_labels"],
        inputs=inputs,
    ) as experiment:
        examples = experiment.read(config.main_task)
        with experiment.scope:
            models = distil(experiment, examples)
        return experiment.finish(
            f"TinyBERT: {config.teacher} to {config.student_in_words} on "
            f"{examples.task.name}",
            models,
            examples,
            of_student=("intermediate", "prediction"),
        )


def distil(experiment, examples):
    """Trains teacher, student and baseline; returns them by name."""
    config = experiment.config
    # Raises on options that the task's outputs have no use for.
    soft_target_loss(config, examples.task)
    soft_labels = read_soft_labels(config, examples.task)
    create_student = functools.partial(
        experiment.student, layer_map=parse_layer_map(config.layer_map)
    )
    loaded = experiment.load_teacher(examples)
    # Of several teachers the student is like the first.
    teacher, like = teacher_of(loaded), loaded.classifier
    data = experiment.tokenize(examples, like.preprocessor)
    # Whether such a student can learn from the teacher: better known now than
    # when the teacher is fine-tuned.
    student, features = create_student(like, quiet=True), []
    check_layer_map(config.layer_map, student)
    if config.intermediate_epochs:
        first = intermediate_step(
            experiment, student, like, teacher, data.student_train
        )
        features = first.build().objective.teacher_features()
    answers = None
    if soft_labels is not None:
        answers = keep_soft_labels(
            experiment,
            experiment.folder.path / "soft_labels",
            soft_labels,
            data.student_train,
            missing_from_labels=config.soft_labels_missing == "labels",
        )
    experiment.fine_tune(loaded, data)

    models = {"teacher": teacher}
    if config.epochs_without_teacher:
        # It starts at random: the teacher's weights are the teacher's help.
        models["baseline"] = create_student(like, True, start="random")
    student = models["student"] = create_student(like)

    is_live = config.teacher_features == "live"
    # Dropout draws anew in each step, which no cache does.
    is_noisy = config.teacher_dropout == "on"
    kept = [] if is_live else list(features)
    if config.prediction_epochs and not is_noisy and answers is None:
        kept.append("logits")
    if kept:
        cache = experiment.cache(
            experiment.folder.path / "teacher_features",
            teacher,
            data.student_train,
            kept,
            raw=examples.student_train,
            dtype="float32" if is_live else config.teacher_features,
        )
    steps = []
    if config.intermediate_epochs:
        followed, train = teacher, data.student_train
        if not is_live:
            followed, train = cache, cache.attach(train, features)
        steps.append(
            intermediate_step(experiment, student, like, followed, train)
        )
    if config.prediction_epochs:
        followed, train = teacher, data.student_train
        if answers is not None or not is_noisy:
            followed = cache if answers is None else answers
            train = followed.attach(train, "logits")
        steps.append(
            prediction_step(experiment, student, followed, train, data)
        )
    if "baseline" in models:
        steps.append(
            experiment.label_stage(
                "baseline",
                models["baseline"],
                data,
                config.baseline_rate,
                config.epochs_without_teacher,
            )
        )
    experiment.run(steps)
    return models


def intermediate_step(experiment, student, teacher, followed, train):
    """Embeddings, hidden states and attention, through one projection.

    `followed` is the teacher, or a cache of what it computed.
    """
    config = experiment.config
    # The released script averages over padding as well.
    official = config.normalization == "official"
    return experiment.stage(
        "intermediate",
        student,
        train,
        config.intermediate_rate,
        config.intermediate_epochs,
        schedule=config.intermediate_schedule,
        fixed_length=official,
        teacher=followed,
        teacher_training=config.teacher_dropout == "on",
        distillation_losses=layer_losses(config, teacher, student),
        student_loss_weight=0,
    )


def layer_losses(config, teacher, student):
    """Embeddings and hidden states by one projection, and attention."""
    mapping = parse_layer_map(config.layer_map)
    official = config.normalization == "official"
    heads = [model.backbone.num_heads for model in (teacher, student)]
    if official and heads[0] != heads[1]:
        raise ValueError(
            "--normalization official is of attention that is compared head "
            f"by head. Received: {heads[0]} heads of the teacher and "
            f"{heads[1]} of --student {config.student_in_words}. Use as many "
            "heads, or --normalization masked."
        )
    return [
        losses.HiddenStatesDistillation(
            mapping,
            include_embeddings=True,
            projection="shared",
            normalization="official" if official else "valid_tokens",
        ),
        follow_attention(
            teacher,
            student,
            mapping,
            normalization="official" if official else "valid_pairs",
        ),
    ]


def soft_target_loss(config, task):
    """Cross-entropy of classes, squared error of numbers."""
    official = config.normalization == "official"
    return task.output_distillation(
        config.temperature,
        soft_loss="cross_entropy",
        normalization="official" if official else "sum_over_classes",
    )


def prediction_step(experiment, student, teacher, train, data):
    """The teacher's soft targets, or the labels as in its script's STS-B."""
    config, task = experiment.config, data.task
    use_labels = config.prediction_target == "labels"
    return experiment.stage(
        "prediction",
        student,
        train,
        config.prediction_rate,
        config.prediction_epochs,
        teacher=teacher,
        teacher_training=config.teacher_dropout == "on",
        distillation_losses=soft_target_loss(config, task),
        student_loss_weight=1 if use_labels else 0,
        loss=task.label_loss() if use_labels else None,
        **experiment.chosen_by_metric(data),
    )
