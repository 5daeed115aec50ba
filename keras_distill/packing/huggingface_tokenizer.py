"""The tokenizer of a Hugging Face folder, as the folder itself has it."""

import keras_hub

from keras_distill.packing.huggingface_folder import HuggingFaceFolder
from keras_distill.packing.tokenizers import BertTokenizer
from keras_distill.packing.tokenizers import DistilBertTokenizer
from keras_distill.packing.tokenizers import RobertaTokenizer
from keras_distill.packing.tokenizers import XLMRobertaTokenizer

# A folder that names no type has a tokenizer alone.
_MODEL_TYPES = (
    None,
    "bert",
    "distilbert",
    "electra",
    "mobilebert",
    "roberta",
    "xlm-roberta",
)
_CLASSES = {
    "WordPiece": BertTokenizer,
    "BPE": RobertaTokenizer,
    "Unigram": XLMRobertaTokenizer,
}


def huggingface_tokenizer(folder, vocabulary_size):
    """The tokenizer of a Hugging Face folder.

    Its ids are those of the package `tokenizers`: accents, lower case, white
    space, the longest word and added tokens are the folder's own. What
    `tokenizer.json` says comes first; a folder without one is read as
    `transformers` reads it, but for `do_lower_case`: where it is missing, a
    vocabulary with capitals is a cased one.

    It is a KerasHub tokenizer: its preprocessors take it, `save_to_preset`
    and `.keras` files keep it, and it runs in `tf.data` and in a SavedModel.

    Args:
        folder: Path with `config.json` and the tokenizer's files:
            `tokenizer.json`, or `vocab.txt`, or `vocab.json` and
            `merges.txt`, or a SentencePiece model.
        vocabulary_size: int. Rows of the model's table of words.

    Returns:
        A KerasHub tokenizer.

    Raises:
        ValueError: If a file is missing or damaged, the tokenizer has a part
            that no graph carries out, or its vocabulary is longer than the
            table.

    Example:

    ```python
    import json, pathlib
    from keras_distill import packing

    folder = pathlib.Path("film_bert")
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "##s"]
    (folder / "vocab.txt").write_text("\\n".join(words))
    tokenizer = packing.huggingface_tokenizer(folder, vocabulary_size=7)
    print(tokenizer(["Cafés [MASK]"]))
    ```
    """
    files = HuggingFaceFolder(folder)
    if not files.has_description and files.model_type not in _MODEL_TYPES:
        # How others read their files only KerasHub says.
        tokenizer = keras_hub.tokenizers.Tokenizer.from_preset(str(folder))
    else:
        tokenizer = _described(files)
    size = tokenizer.vocabulary_size()
    if size > vocabulary_size:
        raise ValueError(
            f"The tokenizer in {str(folder)!r} has {size} tokens, the model's "
            f"table of words {vocabulary_size} rows: ids from "
            f"{vocabulary_size} on have none. Put the files of this model's "
            "own tokenizer into the folder, or resize the table with "
            "`resize_token_embeddings` of transformers and save the model "
            "again."
        )
    return tokenizer


def _described(files):
    description = files.description()
    kind = description["model"]["type"]
    if kind not in _CLASSES:
        raise ValueError(
            f"tokenizer.json in {str(files.path)!r} has a model of type "
            f"{kind!r}. Supported: {', '.join(_CLASSES)}."
        )
    of_type = _CLASSES[kind]
    if kind == "WordPiece" and files.model_type == "distilbert":
        of_type = DistilBertTokenizer
    try:
        return of_type(
            description, special_tokens=files.special_tokens(description)
        )
    except ValueError as error:
        raise ValueError(f"{str(files.path)!r}: {error}") from error
