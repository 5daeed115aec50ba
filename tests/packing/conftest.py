"""Hugging Face folders with small vocabularies, trained in the tests."""

import json

import pytest
import tokenizers
from tokenizers import decoders
from tokenizers import models
from tokenizers import normalizers
from tokenizers import pre_tokenizers
from tokenizers import trainers

TEXTS = [
    "Café crème brûlée, the film is naïve but not dull!",
    "The Straße in İstanbul; ΣΑΣ and ς; a day's walk, I'll say.",
    "日本語 テキスト 中国 电影 很好 。。。 !!!!! ......",
    "Ein schöner Film über 1999 Männer und 12 Frauen.",
    "한국어 영화 मूवी फिल्म кино фильм ёлка",
    "aaa aaaa aaaaa lalala lalal hahaha the the film film",
] * 4

# Lines that simpler tokenizers get wrong.
HARD_LINES = [
    "",
    " ",
    " \t\n ",
    "Café crème",
    "naïve ß Straße İstanbul I\u0307 ı",
    "ΣΑΣ ΌΔΟΣ ς",
    "a\x00b\x07c\x85d\x1ce \x7f",
    "no\u00a0break\u3000wide\u200bzero\u2028line\u202fthin\ufeffmark",
    "soft\u00adhyphen \ufffd \u200d joined",
    "e\u0301 e\u0301\u0323 e\u0323\u0301 q\u0307\u0323 x\u0308",
    "한국어 \u1112\u1161\u11ab \u1112\u1161",
    "日本語テキスト 中国电影 ㍿ ﷺ 豈 \U0002f800",
    "🙂👍🏽 👩‍👩‍👧 ☃️ 1\ufe0f\u20e3",
    "x" * 100 + " " + "x" * 101,
    "é" * 100 + " " + "日" * 120,
    "[MASK] is [mask], a[SEP]b [UNK] [PAD]",
    " <mask> a<mask>  <mask>b <s></s> <unk> < mask>",
    "covid19 COVID Covid-19 xcovidy",
    "a_b-c#d $5 ^ ` ~ + = | < > «q» ‹ › … — „x“",
    "##ing un##able",
    "ﬁ Ⅷ ½ ① Ａ\u0301 ²³ ™",
    "don't can't I'll we've 'tis ''s 's it's's 're 'RE \n's ' s",
    "  two  spaces \n\n newline  \r\n end \u00a0b ",
    "123abc 4.5.6 12 345",
    "▁a ▁ b _",
    "哈哈哈哈哈哈 ........ !!!! aaaaaaaaaa lalalalala ababa",
    "\u0627\u0653\u064b \u05e9\u05b8\u05c1 \u0928\u093f\u0902",
]

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FAIRSEQ = ["<s>", "<pad>", "</s>", "<unk>"]
MASK = tokenizers.AddedToken("<mask>", lstrip=True, special=True)


def word_piece(normalizer, pre_tokenizer=None):
    """BERT's tokenizer of `tokenizers`, trained on a few lines."""
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=BERT, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_tokens(["covid"])
    return tokenizer


def byte_pairs(add_prefix_space=False, normalizer=None):
    """RoBERTa's tokenizer of `tokenizers`, trained on a few lines."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=FAIRSEQ,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens([MASK])
    return tokenizer


def unigram(normalizer, pre_tokenizer):
    """XLM-RoBERTa's tokenizer of `tokenizers`, trained on a few lines."""
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200,
        special_tokens=FAIRSEQ,
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens([MASK])
    return tokenizer


def spaces(*first):
    """The normalizer that SentencePiece's becomes in `tokenizers`."""
    collapse = normalizers.Replace(tokenizers.Regex(" {2,}"), " ")
    return normalizers.Sequence([*first, collapse])


MAKERS = {
    "bert uncased": (
        "bert",
        lambda: word_piece(normalizers.BertNormalizer(lowercase=True)),
    ),
    "bert cased": (
        "bert",
        lambda: word_piece(normalizers.BertNormalizer(lowercase=False)),
    ),
    "bert lower case with accents": (
        "bert",
        lambda: word_piece(
            normalizers.BertNormalizer(lowercase=True, strip_accents=False)
        ),
    ),
    "distilbert": (
        "distilbert",
        lambda: word_piece(
            normalizers.BertNormalizer(
                clean_text=False, handle_chinese_chars=False
            )
        ),
    ),
    "bert of parts": (
        "bert",
        lambda: word_piece(
            normalizers.Sequence(
                [
                    normalizers.NFD(),
                    normalizers.Lowercase(),
                    normalizers.StripAccents(),
                ]
            ),
            pre_tokenizers.Whitespace(),
        ),
    ),
    "bert of decomposed letters": (
        "bert",
        lambda: word_piece(
            normalizers.NFKD(),
            pre_tokenizers.Sequence(
                [
                    pre_tokenizers.WhitespaceSplit(),
                    pre_tokenizers.Punctuation(),
                    pre_tokenizers.Digits(individual_digits=True),
                ]
            ),
        ),
    ),
    "roberta": ("roberta", byte_pairs),
    "roberta with a space before": (
        "roberta",
        lambda: byte_pairs(add_prefix_space=True),
    ),
    "roberta of lower case": (
        "roberta",
        lambda: byte_pairs(True, normalizers.Lowercase()),
    ),
    "xlm-roberta": (
        "xlm-roberta",
        lambda: unigram(
            spaces(normalizers.Nmt(), normalizers.NFKC()),
            pre_tokenizers.Metaspace(),
        ),
    ),
    "xlm-roberta split at white space": (
        "xlm-roberta",
        lambda: unigram(
            normalizers.Sequence(
                [
                    normalizers.NFKC(),
                    normalizers.Lowercase(),
                    normalizers.Strip(),
                ]
            ),
            pre_tokenizers.Sequence(
                [
                    pre_tokenizers.WhitespaceSplit(),
                    pre_tokenizers.Metaspace(),
                ]
            ),
        ),
    ),
}


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Makes a folder with `tokenizer.json` alone, once for each name.

    Gives the folder and the tokenizer of the package `tokenizers`.
    """
    made = {}

    def make(name):
        if name not in made:
            model_type, trained = MAKERS[name]
            folder = tmp_path_factory.mktemp("huggingface")
            config = {"model_type": model_type}
            (folder / "config.json").write_text(json.dumps(config))
            path = str(folder / "tokenizer.json")
            trained().save(path)
            made[name] = folder, tokenizers.Tokenizer.from_file(path)
        return made[name]

    return make
