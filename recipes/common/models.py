"""Teacher and student as they are before any stage."""

import dataclasses

import keras

from keras_distill import layer_map as layer_maps
from keras_distill import models
from keras_distill import students
from keras_distill import teachers
from keras_distill.checks.values import num_positions
from keras_distill.io.json_file import differences
from keras_distill.packing.vocabulary import vocabulary_difference
from keras_distill.stages.identity import model_identity
from recipes.common.ensembles import LoadedEnsemble
from recipes.common.ensembles import check_tokens
from recipes.common.ensembles import members_of
from recipes.common.mobilebert_size import STUDENT as MOBILEBERT
from recipes.common.option_groups import FOLDER
from recipes.common.option_groups import LAYERS
from recipes.common.option_groups import RANDOM
from recipes.common.options import flag
from recipes.common.options import in_words
from recipes.common.student_size import parse_size

# Settings of a teacher's fine-tuning.
FINE_TUNING = ("teacher_epochs", "teacher_rate", "teacher_batch_size")

# What a MobileBERT has of its teacher, whatever its size.
_OF_TEACHER = ("vocabulary_size", "max_sequence_length", "num_segments")


def load_teacher(config, task, check=True):
    """A teacher of a task, not yet fine-tuned; its head may go unchecked."""
    keras.utils.set_random_seed(config.seed)
    members = [
        teachers.load_teacher(
            source,
            task.num_outputs,
            config.sequence_length or task.sequence_length,
            task.model_class,
            pooling=config.pooling,
            head=config.head,
        )
        for source in config.teachers
    ]
    is_one = len(members) == 1
    if not is_one:
        check_tokens(
            task,
            {
                f"--teacher {source}": member.classifier
                for source, member in zip(config.teachers, members, strict=True)
            },
        )
    loaded = members[0] if is_one else LoadedEnsemble.of(members, task)
    if check:
        check_fine_tuning(config, loaded)
        if is_one:
            task.check_teacher(loaded, repr(config.teacher))
    return loaded


def check_reads_corpus(config, teacher):
    """Raises unless a teacher can read the rows of a corpus.

    Args:
        config: `Config` with `CorpusOptions`.
        teacher: KerasHub task.
    """
    if teacher.preprocessor is None:
        raise ValueError(
            f"The teacher in {config.teacher!r} has no tokenizer to read the "
            "corpus with. Save it with its preprocessor."
        )
    longest = num_positions(teacher)
    if longest is not None and config.max_length > longest:
        raise ValueError(
            f"--max-length must be at most {longest}, the positions of "
            f"--teacher {config.teacher}. Received: {config.max_length}"
        )


def check_fine_tuning(config, loaded):
    """Raises on settings of a fine-tuning that a teacher does not need."""
    if not loaded.has_head:
        return
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        # With 0 epochs one says that there shall be none.
        if field.name in FINE_TUNING and value not in (0, field.default):
            raise ValueError(
                f"{flag(field.name)} has no effect on a teacher with a trained "
                f"head, which is not fine-tuned. Received: "
                f"{in_words(field.name, value)} and --teacher {config.teacher}"
            )


def teacher_identity(loaded):
    """What tells a `LoadedTeacher` from others, and its encoder from others.

    Of a teacher without a trained head the encoder alone counts: its head is
    random. Students have the `"encoder"` too, so that it is without weights;
    of several teachers that of the first.
    """
    members = members_of(loaded)
    if len(members) > 1:
        found = [teacher_identity(member) for member in members]
        return {
            "teacher": [member["teacher"] for member in found],
            "encoder": found[0]["encoder"],
        }
    teacher = loaded.classifier
    tokenizer = teacher.preprocessor.tokenizer
    encoder, whole = (
        model_identity(model, tokenizer, is_trained=True)
        for model in (teacher.backbone, teacher)
    )
    return {
        "teacher": whole if loaded.has_head else encoder,
        "encoder": {k: v for k, v in encoder.items() if k != "weights"},
    }


def create_student(config, teacher, start=None, layer_map=layer_maps.uniform):
    """The student of a configuration.

    Args:
        config: `Config` with `StudentOptions`.
        teacher: KerasHub task.
        start: Optional str, how it starts in place of the configuration's:
            `"layers"`, `"embeddings"`, `"folder"` or `"random"`.
        layer_map: The layers that it takes over with `"layers"`. Defaults to
            `keras_distill.layer_map.uniform`.

    Returns:
        KerasHub task, and a str that says what it starts from.

    Raises:
        ValueError: If the teacher's layers do not fit it, or the encoder of
            `--student-from` fits neither the teacher nor `--student`.
    """
    encoder = _encoder_of_folder(config, teacher)
    size = parse_size(config.student) if encoder is None else _size_of(encoder)
    if config.embedding_dim is not None:
        size["embedding_dim"] = config.embedding_dim
    start = start or config.start
    keras.utils.set_random_seed(config.seed)
    student = _make_student(config, teacher, size)
    words = "The student starts at random"
    if start == FOLDER:
        words = _start_from_folder(config, encoder, student)
    elif start != RANDOM:
        words = _start_embeddings(config, teacher, student)
    if start == LAYERS:
        layers = _start_layers(config, teacher, student, layer_map)
        words += f", and from its {layers}"
    if config.freeze_embeddings:
        train_words(student, False)
        words += ", the words frozen"
    return student, words


def _make_student(config, teacher, size):
    """A student of a size, with random weights."""
    chosen = {
        "pooling": config.student_pooling,
        "head": config.student_head,
        "dropout": config.student_dropout,
    }
    architecture = size.pop("architecture", None)
    if architecture is None:
        return students.create_student(teacher, **size, **chosen)
    for name, value in chosen.items():
        if value is not None:
            raise ValueError(
                f"{flag(f'student_{name}')} is for students of the teacher's "
                "kind: a MobileBERT has the teacher's head, and dropout of its "
                f"own. Received: {in_words(f'student_{name}', value)} and "
                f"--student {config.student}"
            )
    return students.create_mobilebert_student(teacher, architecture, **size)


def train_words(model, is_trained):
    """Freezes the table of words of a model, or sets it free.

    No stage trains what is frozen, whatever it is told to train.
    """
    model.backbone.token_embedding.trainable = is_trained


def _encoder_of_folder(config, teacher):
    """The classifier of `--student-from`, whose encoder alone counts."""
    folder = config.student_from
    if folder is None:
        return None
    encoder = teachers.load_teacher(folder, None, 3).classifier
    found, asked = _size_of(encoder), parse_size(config.student)
    if "preset" in asked:
        asked = dataclasses.asdict(students.PRESETS[asked["preset"]])
    is_default = (
        config.student == type(config).__dataclass_fields__["student"].default
    )
    differs = {k: v for k, v in found.items() if asked.get(k, v) != v}
    if differs and not is_default:
        raise ValueError(
            f"The encoder in --student-from {folder} has "
            f"{', '.join(f'{k}={v}' for k, v in differs.items())}, which is "
            "another size. Leave --student out: the student has the size of "
            f"the encoder. Received: --student {config.student}"
        )
    difference = vocabulary_difference(teacher, encoder)
    if difference is not None:
        raise ValueError(
            f"The encoder in --student-from {folder} was made for another "
            f"tokenizer than that of --teacher {config.teacher}: {difference} "
            "Use an encoder that was distilled from a teacher with this "
            "tokenizer."
        )
    return encoder


def _size_of(model):
    """The arguments of `create_student` for a model's size."""
    words = ("num_layers", "hidden_dim", "num_heads", "intermediate_dim")
    config = model.backbone.get_config()
    if isinstance(model.backbone, models.MobileBertBackbone):
        others = ("name", "trainable", "dtype", *_OF_TEACHER)
        size = {k: v for k, v in config.items() if k not in others}
        return {"architecture": MOBILEBERT, **size}
    return {word: config[word] for word in words if word in config}


def _start_from_folder(config, encoder, student):
    ours, theirs = (
        {
            name: value
            for name, value in model.backbone.get_config().items()
            if name not in ("name", "trainable", "dtype", "dropout")
        }
        for model in (student, encoder)
    )
    names = [type(model.backbone).__name__ for model in (student, encoder)]
    if ours != theirs or len(set(names)) > 1:
        found = differences(
            {**theirs, "encoder": names[1]}, {**ours, "encoder": names[0]}
        )
        raise ValueError(
            f"The encoder in --student-from {config.student_from} is no "
            f"student of --teacher {config.teacher}: {'; '.join(found)}."
        )
    student.backbone.set_weights(encoder.backbone.get_weights())
    return f"The student starts from the encoder in {config.student_from}"


def _start_layers(config, teacher, student, layer_map):
    for name, word in (
        ("hidden_dim", "width"),
        ("num_heads", "heads"),
        ("intermediate_dim", "intermediate width"),
    ):
        ours, theirs = (
            getattr(model.backbone, name) for model in (student, teacher)
        )
        if ours != theirs:
            raise ValueError(
                "--student-start layers copies layers of the teacher, which "
                f"must be like the student's. Received: {word} {theirs} of "
                f"the teacher and {ours} of --student {config.student}. Use "
                "such a --student, or --student-start embeddings."
            )
    pairs = students.copy_layers(teacher, student, layer_map)
    return f"layers {', '.join(str(layer) for _, layer in pairs)}"


def _start_embeddings(config, teacher, student):
    # Those of a MobileBERT are as wide as the states between its blocks.
    is_mobilebert = isinstance(student.backbone, models.MobileBertBackbone)
    with_positions = config.with_positions and not is_mobilebert
    is_same = _width_of_words(teacher) == _width_of_words(student)
    if (
        is_same
        and config.embedding_dim is None
        and config.embeddings == "teacher"
        and with_positions
    ):
        students.copy_layers(teacher, student, [(0, 0)], include_pooler=False)
        return "The student starts from the teacher's embeddings as they are"
    kept = students.factorize_embeddings(
        teacher,
        student,
        center=config.embeddings == "centred",
        include_positions=with_positions,
        quiet=True,
    )
    return f"The student starts from the teacher's {kept}"


def _width_of_words(model):
    return model.backbone.token_embedding.output_dim
