"""Whether two models mean the same by a token id."""


def check_same_vocabulary(teacher, student):
    """Raises unless teacher and student read the same token ids.

    Tokenizers are compared where both models carry a preprocessor, the sizes
    of the vocabularies otherwise.

    Args:
        teacher: `keras.Model`.
        student: `keras.Model`.

    Raises:
        ValueError: If a token id means different things to the two.
    """
    of_teacher, of_student = _vocabulary(teacher), _vocabulary(student)
    if of_teacher is not None and of_student is not None:
        for index, (theirs, ours) in enumerate(
            zip(of_teacher, of_student, strict=False)
        ):
            if theirs != ours:
                raise ValueError(
                    "The teacher's and the student's tokenizers differ: token "
                    f"{index} is {theirs!r} to the teacher and {ours!r} to "
                    "the student. Build the student with the teacher's "
                    "tokenizer, as `keras_distill.students.create_student` "
                    "does."
                )
    sizes = _vocabulary_size(teacher), _vocabulary_size(student)
    if None not in sizes and sizes[0] != sizes[1]:
        raise ValueError(
            f"The teacher's vocabulary has {sizes[0]} tokens and the "
            f"student's {sizes[1]}, so they cannot read the same token ids. "
            "Build the student with the teacher's tokenizer and "
            f"`vocabulary_size={sizes[0]}`."
        )


def _preprocessor_tokenizer(model):
    preprocessor = getattr(model, "preprocessor", None)
    return getattr(preprocessor, "tokenizer", None)


def _vocabulary(model):
    tokenizer = _preprocessor_tokenizer(model)
    if tokenizer is None or not hasattr(tokenizer, "get_vocabulary"):
        return None
    try:
        return tokenizer.get_vocabulary()
    except ValueError:
        # Keras fills the tokenizers of a saved model after it is built.
        return None


def _vocabulary_size(model):
    backbone = getattr(model, "backbone", model)
    return getattr(backbone, "vocabulary_size", None)
