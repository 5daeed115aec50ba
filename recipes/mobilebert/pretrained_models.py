"""Teacher and student of a pre-training, before any stage."""

import keras

from keras_distill import models
from keras_distill import students
from keras_distill import teachers
from keras_distill.io.saving import local_path
from keras_distill.models import hugging_face
from keras_distill.models.saving import saved_task_class
from recipes.common.mobilebert_size import STUDENT
from recipes.common.mobilebert_size import TEACHER
from recipes.common.mobilebert_size import parse_architecture
from recipes.common.models import check_reads_corpus


def make_teacher(config):
    """A new inverted-bottleneck BERT, or the teacher that is given.

    Args:
        config: `Config`.

    Returns:
        `keras_distill.models.PretrainingModel`; of a teacher without heads of
        its pre-training, a text classifier, of which the encoder counts;
        `None` where nothing is learnt from a teacher.

    Raises:
        ValueError: If it has no tokenizer, or reads no rows that long.
    """
    keras.utils.set_random_seed(config.seed)
    if config.teacher is not None:
        return _load_teacher(config)
    if not config.needs_teacher:
        return None
    preprocessor = load_preprocessor(config)
    name, size = parse_architecture(
        "teacher_size", config.teacher_size, TEACHER
    )
    return _pretraining_model(config, name, size, preprocessor)


def make_student(config, teacher):
    """A student as it is before any stage.

    It takes over what lies outside of the blocks of an inverted-bottleneck
    teacher, as that is now, or the words of any other, by truncated SVD.

    Args:
        config: `Config`.
        teacher: What `make_teacher` returned.

    Returns:
        `keras_distill.models.PretrainingModel`, and a str that says what it
        starts from.

    Raises:
        ValueError: If it is not as wide as the teacher, outside of its blocks.
    """
    keras.utils.set_random_seed(config.seed)
    name, size = parse_architecture("student", config.student, STUDENT)
    size["attention_dropout"] = config.attention_dropout
    if teacher is None:
        preprocessor = load_preprocessor(config)
        student = _pretraining_model(config, name, size, preprocessor)
        return student, "The student starts at random"
    if _is_its_kind(teacher):
        student = _pretraining_model(config, name, size, teacher.preprocessor)
        copied = students.copy_pretraining(teacher, student)
        return student, (
            "The student starts with all of the teacher that lies outside of "
            f"the blocks and fits: {len(copied)} weights"
        )
    backbone = students.create_mobilebert_student(
        teacher.backbone,
        name,
        embeddings="teacher",
        embedding_dim=config.embedding_dim,
        quiet=True,
        **size,
    )
    return (
        models.PretrainingModel(backbone, preprocessor=teacher.preprocessor),
        "The student starts with the teacher's words, by truncated SVD",
    )


def load_preprocessor(config):
    """The preprocessor of `--tokenizer`."""
    # Of the classifier nothing else is used.
    loaded = teachers.load_teacher(config.tokenizer, None, config.max_length)
    if loaded.classifier.preprocessor is None:
        raise ValueError(
            f"There is no tokenizer in --tokenizer {config.tokenizer}"
        )
    return loaded.classifier.preprocessor


def _load_teacher(config):
    folder = local_path(config.teacher)
    if folder.is_dir() and _has_heads(folder):
        teacher = models.PretrainingModel.from_preset(folder)
    else:
        teacher = teachers.load_teacher(
            config.teacher, None, config.max_length
        ).classifier
    check_reads_corpus(config, teacher)
    return teacher


def _has_heads(folder):
    """Whether a model in a folder predicts masked words."""
    if hugging_face.is_hugging_face_folder(folder):
        return hugging_face.has_masked_lm_head(hugging_face.Checkpoint(folder))
    saved = saved_task_class(folder)
    return saved is not None and issubclass(saved, models.PretrainingModel)


def _is_its_kind(teacher):
    """Whether it is a MobileBERT with the heads of its pre-training."""
    return isinstance(teacher, models.PretrainingModel) and isinstance(
        teacher.backbone, models.MobileBertBackbone
    )


def _pretraining_model(config, name, size, preprocessor):
    backbone = models.MobileBertBackbone.from_preset(
        name,
        load_weights=False,
        **{
            "vocabulary_size": preprocessor.tokenizer.vocabulary_size(),
            "embedding_dim": config.embedding_dim,
            **size,
        },
    )
    return models.PretrainingModel(backbone, preprocessor=preprocessor)
