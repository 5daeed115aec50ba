"""Which kind of examples was meant, where another one is given."""

from keras_distill.data.examples import Examples
from keras_distill.data.splits import Splits
from keras_distill.data.tagged_examples import TaggedExamples


def as_examples(examples):
    """Examples of texts, also of a list of texts.

    Args:
        examples: `Examples`, or a list or array of texts without labels.

    Returns:
        `Examples`.

    Raises:
        ValueError: If it is another kind of data.
    """
    if isinstance(examples, TaggedExamples):
        raise ValueError(
            "`examples` must be keras_distill.tasks.Examples. Received: "
            "TaggedExamples, whose words have tags. Tokenise them with "
            "keras_distill.tasks.TokenizedTags."
        )
    if _is_texts(examples):
        return Examples(([str(text) for text in examples],))
    return _checked(examples, "texts", Examples)


def as_tagged_examples(examples):
    """Examples of words and tags.

    Args:
        examples: `TaggedExamples`.

    Returns:
        The same.

    Raises:
        ValueError: If it is another kind of data.
    """
    return _checked(examples, "words", TaggedExamples)


def check_tokenized(tokenized):
    """Raises unless examples are tokenised.

    Args:
        tokenized: `TokenizedExamples`.

    Raises:
        ValueError: If they are not.
    """
    if not hasattr(tokenized, "iterate"):
        raise ValueError(
            "`tokenized` must be keras_distill.tasks.TokenizedExamples, for "
            "words with tags TokenizedTags. Received: "
            f"{type(tokenized).__name__}. Tokenise it: "
            "TokenizedExamples(examples, tokenizer, sequence_length)."
        )


def _checked(examples, attribute, kind):
    if hasattr(examples, attribute):
        return examples
    if isinstance(examples, Splits):
        names = ", ".join(repr(name) for name in examples)
        raise ValueError(
            f"`examples` must be one split. Received: all of them ({names}). "
            "Choose one, such as splits['dev']."
        )
    if hasattr(examples, "iterate"):
        raise ValueError(
            f"`examples` must be keras_distill.tasks.{kind.__name__}. "
            f"Received: {type(examples).__name__}, which is tokenised already."
        )
    raise ValueError(
        f"`examples` must be keras_distill.tasks.{kind.__name__}. Received: "
        f"{type(examples).__name__}."
        + (
            " Make them: Examples((texts,), labels), or Examples((first, "
            "second), labels) for pairs."
            if kind is Examples
            else ""
        )
    )


def _is_texts(examples):
    """Whether it is one column of texts, as a list, an array or of pandas."""
    is_column = isinstance(examples, list) or hasattr(examples, "__array__")
    return is_column and all(isinstance(text, str) for text in examples)
