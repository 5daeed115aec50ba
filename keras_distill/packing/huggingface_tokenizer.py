"""The tokenizer of a Hugging Face folder, as the folder itself has it."""

import json
import pathlib

import keras_hub

_WORD_PIECE = {
    "bert": keras_hub.models.BertTokenizer,
    "distilbert": keras_hub.models.DistilBertTokenizer,
}


def huggingface_tokenizer(folder, vocabulary_size):
    """The tokenizer of a Hugging Face folder.

    Args:
        folder: Path with `config.json` and the tokenizer's files.
        vocabulary_size: int. Rows of the model's table of words.

    Returns:
        A KerasHub tokenizer.

    Raises:
        ValueError: If the vocabulary is longer than the table.
    """
    folder = pathlib.Path(folder)
    model_type = _read(folder / "config.json").get("model_type")
    described = _read(folder / "tokenizer.json")
    normalizer = described.get("normalizer") or {}
    if (
        model_type in _WORD_PIECE
        and described.get("model", {}).get("type") == "WordPiece"
        and normalizer.get("type") == "BertNormalizer"
    ):
        vocabulary = described["model"]["vocab"]
        lowercase = normalizer["lowercase"]
        # `null` means: as the lower case.
        strip_accents = normalizer.get("strip_accents")
        tokenizer = _WORD_PIECE[model_type](
            sorted(vocabulary, key=vocabulary.get),
            lowercase=lowercase,
            strip_accents=lowercase if strip_accents is None else strip_accents,
        )
    else:
        tokenizer = keras_hub.tokenizers.Tokenizer.from_preset(str(folder))
    if tokenizer.vocabulary_size() > vocabulary_size:
        raise ValueError(
            f"The vocabulary in {str(folder)!r} has "
            f"{tokenizer.vocabulary_size()} tokens, the model's table has "
            f"{vocabulary_size} rows: the tokenizer belongs to another model. "
            "Put the tokenizer's files of this model into the folder."
        )
    return tokenizer


def _read(file):
    return json.loads(file.read_bytes()) if file.is_file() else {}
