"""What tells tokenizers apart, and whether two models share one."""

from keras_distill.io.hashes import json_hash

# How KerasHub's tokenizers, and those of `keras_distill.packing`, say what
# they do to a text before they look its words up.
_OPTIONS = (
    "lowercase",
    "strip_accents",
    "split",
    "split_on_cjk",
    "add_prefix_space",
    "merges",
)
# Options that change nothing about the token ids.
_IGNORED = ("dtype", "name", "trainable")
# The parts of a `tokenizer.json` that change ids.
_PARTS = ("normalizer", "pre_tokenizer", "added_tokens", "model")


def check_same_vocabulary(teacher, student):
    """Raises unless teacher and student read the same token ids."""
    difference = vocabulary_difference(teacher, student)
    if difference is not None:
        raise ValueError(difference)


def vocabulary_difference(teacher, student):
    """Why a token id means different things to teacher and student.

    Tokenizers are compared where both models carry a preprocessor: their
    vocabularies, and what they do to a text, such as lower case. The sizes of
    the vocabularies are compared otherwise.

    Args:
        teacher: `keras.Model`.
        student: `keras.Model`.

    Returns:
        str, sentences that say what to do, or `None` if it means the same.
    """
    tokenizers = [model_tokenizer(m) for m in (teacher, student)]
    if None not in tokenizers:
        difference = _difference(*tokenizers)
        if difference is not None:
            return (
                f"{difference} Build the student with the teacher's "
                "tokenizer, as `keras_distill.students.create_student` does."
            )
    sizes = _vocabulary_size(teacher), _vocabulary_size(student)
    if None not in sizes and sizes[0] != sizes[1]:
        return (
            f"The teacher's vocabulary has {sizes[0]} tokens and the "
            f"student's {sizes[1]}, so they cannot read the same token ids. "
            "Build the student with the teacher's tokenizer and "
            f"`vocabulary_size={sizes[0]}`."
        )
    return None


def _difference(teacher, student):
    """How two tokenizers differ, in a sentence, or `None`."""
    if teacher is student:
        return None
    of_teacher, of_student = _vocabulary(teacher), _vocabulary(student)
    if None in (of_teacher, of_student):
        return None
    for index, (theirs, ours) in enumerate(
        zip(of_teacher, of_student, strict=False)
    ):
        if theirs != ours:
            return (
                "The teacher's and the student's tokenizers differ: token "
                f"{index} is {theirs!r} to the teacher and {ours!r} to the "
                "student."
            )
    theirs, ours = _reading(teacher), _reading(student)
    for name in theirs.keys() & ours.keys():
        if theirs[name] != ours[name]:
            return (
                "The teacher's and the student's tokenizers have one "
                f"vocabulary and read texts differently: {name} is "
                f"{_short(theirs[name])} to the teacher and "
                f"{_short(ours[name])} to the student."
            )
    return None


def _reading(tokenizer):
    """What a tokenizer does to a text, by name."""
    found = {
        name: getattr(tokenizer, name)
        for name in _OPTIONS
        if hasattr(tokenizer, name)
    }
    description = getattr(tokenizer, "description", None)
    if isinstance(description, dict):
        found |= {name: description.get(name) for name in _PARTS}
    return found


def _short(value):
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."


def model_tokenizer(model):
    """The tokenizer of a model's preprocessor, or `None`."""
    preprocessor = getattr(model, "preprocessor", None)
    return getattr(preprocessor, "tokenizer", None)


def _vocabulary(tokenizer):
    if not hasattr(tokenizer, "get_vocabulary"):
        return None
    try:
        return tokenizer.get_vocabulary()
    except ValueError:
        # Keras fills the tokenizers of a saved model after it is built.
        return None


def _vocabulary_size(model):
    backbone = getattr(model, "backbone", model)
    return getattr(backbone, "vocabulary_size", None)


def tokenizer_fingerprint(tokenizer):
    """A hash of a tokenizer's vocabulary and options.

    Args:
        tokenizer: a KerasHub tokenizer.

    Returns:
        str, the same for tokenizers that give the same token ids, or `None`
        if the tokenizer does not show its vocabulary.
    """
    if not hasattr(tokenizer, "get_vocabulary"):
        return None
    options = {
        name: _plain(value)
        for name, value in tokenizer.get_config().items()
        if name not in _IGNORED and not isinstance(value, dict)
    }
    vocabulary = getattr(tokenizer, "vocabulary", None)
    if isinstance(vocabulary, dict):
        # Byte pairs: the order says nothing of the ids.
        vocabulary = sorted(vocabulary.items())
    else:
        vocabulary = list(tokenizer.get_vocabulary())
    content = [type(tokenizer).__name__, vocabulary, options]
    # How texts are normalized and words are split, where the vocabulary alone
    # does not say so: the merges of byte pairs, the scores of sentence pieces,
    # all that a `tokenizer.json` says.
    for name in ("merges", "proto", "description"):
        if getattr(tokenizer, name, None) is not None:
            content.append(repr(getattr(tokenizer, name)))
    return json_hash(content)


def _plain(value):
    """An option as JSON; special tokens come in no order of their own."""
    if isinstance(value, (list, tuple, set)):
        return sorted(map(str, value))
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    return type(value).__name__
