"""A tiny classifier of each family that is trained and served."""

import io

import keras_hub
import pytest
import sentencepiece
from tokenizers.pre_tokenizers import ByteLevel

SPECIAL_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SPECIAL_BYTES = ["<s>", "<pad>", "</s>", "<unk>"]
CORPUS = [
    "the film is good and the plot is not",
    "a dull actor, but a great story with a funny ending",
    "don't watch it: 1234 bad films",
]
FAMILIES = ["bert", "distil_bert", "roberta", "xlm_roberta", "bert_of_pieces"]
SIZES = {
    "num_layers": 1,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": 64,
}


def word_pieces(cls):
    words = " ".join(CORPUS).replace(",", " ,").replace(":", " :").split()
    letters = sorted(set("".join(CORPUS)) - {" "})
    pieces = dict.fromkeys([*words, *letters, *(f"##{x}" for x in letters)])
    return cls([*SPECIAL_PIECES, *pieces], lowercase=True)


def sentence_pieces(cls):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 5),
        model_writer=model,
        vocab_size=80,
        hard_vocab_limit=False,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        minloglevel=2,
    )
    return cls(proto=model.getvalue())


def byte_pairs(cls, **options):
    merges = "Ġ t|h e|Ġt he|o o|g oo|Ġ goo|goo d|Ġgoo d|f i|fi l|fil m|Ġ film"
    merges = f"{merges}|Ġ a|Ġa n|Ġan d|i s|1 2|3 4|12 34|' t".split("|")
    tokens = [*SPECIAL_BYTES, *sorted(ByteLevel.alphabet())]
    tokens += [merge.replace(" ", "") for merge in merges]
    tokens.append("<mask>")
    return cls(
        vocabulary={token: index for index, token in enumerate(tokens)},
        merges=merges,
        **options,
    )


# How the classes of KerasHub begin, and what they are made of.
_PARTS = {
    "bert": ("Bert", "Bert", word_pieces),
    "distil_bert": ("DistilBert", "DistilBert", word_pieces),
    "roberta": ("Roberta", "Roberta", byte_pairs),
    "xlm_roberta": ("XLMRoberta", "XLMRoberta", sentence_pieces),
    # As multilingual E5.
    "bert_of_pieces": ("Bert", "XLMRoberta", sentence_pieces),
}


def hub(name):
    return getattr(keras_hub.models, name)


@pytest.fixture(scope="session")
def made_tokenizers():
    """Those that outlast a test, by family."""
    return {}


@pytest.fixture
def tokenizer_of_family(made_tokenizers):
    """Makes the tokenizer of a family, once.

    But for each test those of SentencePiece, whose models go with Keras's
    session.
    """
    of_test = {}

    def get(family):
        _, tokenizer, make = _PARTS[family]
        made = of_test if make is sentence_pieces else made_tokenizers
        if family not in made:
            made[family] = make(hub(f"{tokenizer}Tokenizer"))
        return made[family]

    return get


@pytest.fixture
def make_preprocessor(tokenizer_of_family):
    """Makes the preprocessor of a family; the arguments are its own."""

    def make(family, **options):
        preprocessor = hub(f"{_PARTS[family][0]}TextClassifierPreprocessor")
        return preprocessor(tokenizer_of_family(family), **options)

    return make


@pytest.fixture
def make_backbone(tokenizer_of_family):
    """Makes the encoder of a family."""

    def make(family):
        return hub(f"{_PARTS[family][0]}Backbone")(
            vocabulary_size=tokenizer_of_family(family).vocabulary_size(),
            dropout=0.0,
            **SIZES,
        )

    return make


@pytest.fixture
def make_family(make_preprocessor, make_backbone):
    """Makes a classifier of a family with a preprocessor."""

    def make(family, num_classes=2, activation=None, **options):
        return hub(f"{_PARTS[family][0]}TextClassifier")(
            make_backbone(family),
            num_classes=num_classes,
            activation=activation,
            preprocessor=make_preprocessor(family, **options),
        )

    return make
