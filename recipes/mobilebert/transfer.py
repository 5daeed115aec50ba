"""The losses of knowledge transfer, and its three ways in time."""

import keras

from keras_distill import callbacks
from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from keras_distill import schedules
from keras_distill import stages
from recipes.common.attention import follow_attention
from recipes.common.devices import stage_options
from recipes.common.layer_maps import check_layer_map
from recipes.common.layer_maps import parse_layer_map
from recipes.common.training import tokens_seen
from recipes.mobilebert.config import AUXILIARY
from recipes.mobilebert.config import JOINT
from recipes.mobilebert.config import PROGRESSIVE

TEACHER, TRANSFER, DISTIL = STAGES = ("teacher", "transfer", "distil")
# The outputs of a `PretrainingModel`.
_OUTPUTS = {"masked_lm": "masked_lm", "next_sentence": "next_sentence"}


def teacher_stage(config, teacher, rows):
    """A teacher's pre-training, on masked words and next sentences."""
    return _stage(
        config,
        TEACHER,
        teacher,
        rows,
        config.teacher_steps,
        _falling(config, config.teacher_rate),
        loss=_label_losses(),
    )


def student_stages(config, teacher, student, rows_of):
    """The stages of a student's pre-training.

    - progressive: each layer follows its teacher's for as many steps, one
      after the other, while embeddings and heads are held; then comes the
      pre-training.
    - joint: all layers follow theirs at once; then comes the pre-training.
    - auxiliary: both at once, for as many steps in all.
    - none: the pre-training alone.

    Args:
        config: `Config`.
        teacher: KerasHub task, or `None` where nothing is learnt from it.
        student: `keras_distill.models.PretrainingModel`.
        rows_of: function of a stage's name that gives what it trains on.

    Returns:
        list of `keras_distill.stages.Stage`.
    """
    followed = {}
    if config.transfer in (PROGRESSIVE, JOINT, AUXILIARY):
        followed = layer_losses(config, teacher, student)
    listed = []
    if config.transfer in (PROGRESSIVE, JOINT):
        listed.append(
            transfer_stage(config, teacher, student, rows_of(TRANSFER))
        )
        followed = {}
    steps = config.distil_steps
    if followed:
        steps += config.transfer_steps
    if steps:
        listed.append(
            _stage(
                config,
                DISTIL,
                student,
                rows_of(DISTIL),
                steps,
                _falling(config, config.distil_rate),
                **_predictions(config, teacher, followed),
            )
        )
    return listed


def transfer_stage(config, teacher, student, rows, order="bottom_up"):
    """The stage in which layers are followed and nothing else.

    Args:
        config: `Config`, of progressive or joint transfer.
        teacher, student: KerasHub tasks.
        rows: What it is trained on.
        order: As `ProgressiveKnowledgeTransfer` takes it.

    Returns:
        `keras_distill.stages.Stage`.
    """
    steps, rate = config.transfer_steps, config.transfer_rate
    options = {}
    if config.transfer == JOINT:
        schedule = _falling(config, rate)
        # Embeddings are held, as layer by layer.
        layers = range(1, student.backbone.num_layers + 1)
        options["trainable"] = [f"layer.{number}" for number in layers]
    else:
        num_layers = student.backbone.num_layers
        per_layer = steps // num_layers
        if per_layer < 2:
            raise ValueError(
                "--transfer-steps are shared by the student's layers, of which "
                f"each needs 2 or more. Received: {steps} for {num_layers} "
                "layers"
            )
        # None are left over: after its layers comes no other phase.
        steps = per_layer * num_layers
        options["callbacks"] = [
            callbacks.ProgressiveKnowledgeTransfer(
                steps=per_layer, order=order, done_rate=config.done_rate
            )
        ]

        def schedule(steps):
            return schedules.KnowledgeTransferRate(rate, per_layer)

    followed = layer_losses(config, teacher, student)
    return _stage(
        config,
        TRANSFER,
        student,
        rows,
        steps,
        schedule,
        teacher=teacher,
        distillation_losses=list(followed),
        distillation_loss_weights=list(followed.values()),
        student_loss_weight=0,
        **options,
    )


def layer_losses(config, teacher, student):
    """Hidden states and attention of the mapped layers, with their weights.

    Args:
        config: `Config`.
        teacher, student: KerasHub tasks.

    Returns:
        dict of loss to weight: a mean over the layers of the student.
    """
    check_layer_map(config.layer_map, student)
    mapping = parse_layer_map(config.layer_map)
    widths = {model.backbone.hidden_dim for model in (teacher, student)}
    follow = losses.FeatureMapTransfer
    if config.feature_loss == "paper":
        follow = losses.HiddenStatesDistillation
    features = follow(
        mapping,
        # Each layer is done with its own before the next begins.
        projection="auto" if len(widths) == 1 else "per_layer",
    )
    attention = follow_attention(teacher, student, mapping, loss="kl")
    share = 1 / student.backbone.num_layers
    return {features: config.feature_weight * share, attention: share}


def _predictions(config, teacher, followed):
    """What the student's predictions learn from, beside layers or alone."""
    words = list(followed)
    weights = list(followed.values())
    if isinstance(teacher, models.PretrainingModel) and config.alpha < 1:
        words.append(losses.PretrainingDistillation(config.alpha, **_OUTPUTS))
        weights.append(1.0)
        labels = {"student_loss_weight": 0}
    else:
        # It has no such predictions, or they are not asked for.
        labels = {"loss": _label_losses()}
        if words:
            # Of equal weight.
            labels["student_loss_weight"] = 0.5
    if not words:
        return labels
    return {
        "teacher": teacher,
        "distillation_losses": words,
        "distillation_loss_weights": weights,
        **labels,
    }


def _label_losses():
    """The cross-entropies of both heads, over what they are to predict."""
    return {
        output: keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        for output in _OUTPUTS
    }


def _falling(config, peak):
    """A rate that rises for a share of the steps and falls to 0."""
    return lambda steps: schedules.WarmupLinearDecay(peak, steps, config.warmup)


def _stage(config, name, model, rows, steps, schedule, **options):
    def optimizer(steps):
        lamb = optimizers.BertLamb(
            schedule(steps), weight_decay=config.weight_decay
        )
        lamb.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        if "callbacks" not in options:
            return lamb
        # Layers that are done go on at a share of the rate.
        return optimizers.RateScaleOptimizer(lamb)

    return stages.Stage(
        name,
        model,
        rows,
        steps=steps,
        batch_size=config.batch_size,
        optimizer=optimizer,
        **stage_options(config.strategy, rows.sequence_length),
        **{
            **options,
            "callbacks": [
                *options.get("callbacks", ()),
                tokens_seen(config, rows),
            ],
        },
    )
