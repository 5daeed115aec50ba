"""Reads what a Hugging Face folder says of its tokenizer.

Newer folders hold `tokenizer.json`, which says all. Older ones hold a
vocabulary, and the rest is what `transformers` makes of it.
"""

import base64
import json
import pathlib

CONFIG = "config.json"
DESCRIPTION = "tokenizer.json"
_OPTIONS = "tokenizer_config.json"
_SPECIAL = "special_tokens_map.json"
_ADDED = "added_tokens.json"
_VOCABULARY = "vocab.txt"
_BYTE_PAIRS = ("vocab.json", "merges.txt")
_SENTENCE_PIECES = (
    "sentencepiece.bpe.model",
    "spiece.model",
    "sentencepiece.model",
    "tokenizer.model",
)

# The keys of the special tokens in Hugging Face's files, by role, and what
# they are called if no file says so.
_ROLES = {
    "start_token": (("cls_token", "bos_token"), ("[CLS]", "<s>")),
    "end_token": (("sep_token", "eos_token"), ("[SEP]", "</s>")),
    "pad_token": (("pad_token",), ("[PAD]", "<pad>")),
    "mask_token": (("mask_token",), ("[MASK]", "<mask>")),
    "unk_token": (("unk_token",), ("[UNK]", "<unk>")),
}
_REQUIRED = ("start_token", "end_token", "pad_token")

# Those classes split words by more than the files say.
_OF_VOCABULARY = (
    "BertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "MobileBertTokenizer",
)


class HuggingFaceFolder:
    """The files of a tokenizer in a Hugging Face folder.

    Args:
        folder: Path.

    Raises:
        ValueError: If a file is damaged.
    """

    def __init__(self, folder):
        self.path = pathlib.Path(folder)
        self._options = self._read(_OPTIONS)
        self._special = self._read(_SPECIAL)
        self.model_type = self._read(CONFIG).get("model_type")

    @property
    def has_description(self):
        """bool. Whether one file says all that the tokenizer does."""
        return (self.path / DESCRIPTION).is_file()

    def description(self):
        """What the tokenizer does, in the form of `tokenizer.json`.

        Returns:
            dict.

        Raises:
            ValueError: If the folder has no tokenizer, or one whose class
                does what no file says.
        """
        described = self._read(DESCRIPTION)
        if described:
            if not isinstance(described.get("model"), dict):
                raise ValueError(
                    f'{self.path / DESCRIPTION} has no "model". Save the '
                    "tokenizer again with `tokenizers` or `transformers`."
                )
            return _with_model_type(described)
        if (self.path / _VOCABULARY).is_file():
            return self._of_vocabulary()
        if all((self.path / name).is_file() for name in _BYTE_PAIRS):
            return self._of_byte_pairs()
        for name in _SENTENCE_PIECES:
            if (self.path / name).is_file():
                return self._of_sentence_pieces(self.path / name)
        raise ValueError(
            f"{str(self.path)!r} has no tokenizer: neither {DESCRIPTION} nor "
            f"{_VOCABULARY}, {' with '.join(_BYTE_PAIRS)} or "
            f"{_SENTENCE_PIECES[0]}. Save it into the folder with "
            "`tokenizer.save_pretrained(folder)` of transformers."
        )

    def special_tokens(self, description):
        """The special tokens by role.

        Args:
            description: dict, as `description()` gives it.

        Returns:
            dict of the tokens, `None` where there is no such token.

        Raises:
            ValueError: If the first, the last or the padding token is
                unknown.
        """
        known = _known_tokens(description)
        packed = _packed_tokens(description.get("post_processor"))
        found = {}
        for role, (keys, names) in _ROLES.items():
            candidates = [packed.get(role)]
            for source in (self._options, self._special):
                candidates += [_content(source.get(key)) for key in keys]
            candidates += names
            found[role] = next((x for x in candidates if x in known), None)
            if found[role] is None and role in _REQUIRED:
                raise ValueError(
                    f"The tokenizer in {str(self.path)!r} has no {role}: "
                    f"{', '.join(x for x in names)} are not in its "
                    f'vocabulary. Name it in {_OPTIONS}: "{keys[0]}": "...".'
                )
        return found

    def _of_vocabulary(self):
        """BERT's tokenizer with the vocabulary of a text file."""
        of_class = self._options.get("tokenizer_class") or _OF_VOCABULARY[0]
        if of_class.removesuffix("Fast") not in _OF_VOCABULARY:
            raise ValueError(
                f"{self.path / _OPTIONS} names the class {of_class!r}, which "
                f"does more than {_VOCABULARY} says. Supported without a "
                f"{DESCRIPTION}: {', '.join(_OF_VOCABULARY)}."
            )
        lines = self._read_lines(_VOCABULARY)
        if lines[-1] == "":
            lines.pop()
        # As `transformers` does, of equal lines the last one counts.
        vocabulary = {
            line.rstrip("\r"): number for number, line in enumerate(lines)
        }
        lowercase = self._options.get("do_lower_case")
        if lowercase is None:
            lowercase = not _has_capitals(vocabulary)
        return {
            "normalizer": {
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": self._option(
                    "tokenize_chinese_chars", True
                ),
                "strip_accents": self._options.get("strip_accents"),
                "lowercase": lowercase,
            },
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {
                "type": "WordPiece",
                "unk_token": self._named("unk_token", "[UNK]"),
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": vocabulary,
            },
            "added_tokens": self._added_tokens(vocabulary),
        }

    def _of_byte_pairs(self):
        """RoBERTa's tokenizer with the vocabulary and merges of its files."""
        vocabulary = self._read(_BYTE_PAIRS[0])
        lines = self._read_lines(_BYTE_PAIRS[1])
        if lines[0].startswith("#version"):
            del lines[0]
        merges = [line.rstrip("\r").split(" ") for line in lines]
        adds_space = self._option("add_prefix_space", False)
        byte_level = {
            "type": "ByteLevel",
            "add_prefix_space": adds_space,
            "trim_offsets": True,
            "use_regex": True,
        }
        return {
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": "",
                "end_of_word_suffix": "",
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": vocabulary,
                "merges": [pair for pair in merges if len(pair) == 2],
            },
            "added_tokens": self._added_tokens(vocabulary, {"mask_token"}),
        }

    def _of_sentence_pieces(self, file):
        """XLM-RoBERTa's tokenizer with the pieces of a SentencePiece model."""
        from sentencepiece import sentencepiece_model_pb2

        proto = sentencepiece_model_pb2.ModelProto()
        try:
            proto.ParseFromString(file.read_bytes())
        # Protocol buffers raise a class of their own.
        except Exception as error:
            raise ValueError(f"{file} is damaged ({error}).") from error
        if proto.trainer_spec.model_type != proto.trainer_spec.UNIGRAM:
            raise ValueError(
                f"{file} is no unigram model of SentencePiece, as XLM-RoBERTa "
                "has. Load the model in transformers and save its fast "
                f"tokenizer, which writes {DESCRIPTION}."
            )
        # In fairseq's order, which the model's words have.
        pieces = [[token, 0.0] for token in ("<s>", "<pad>", "</s>", "<unk>")]
        pieces += [[x.piece, x.score] for x in list(proto.pieces)[3:]]
        pieces.append(["<mask>", 0.0])
        vocabulary = {piece: number for number, (piece, _) in enumerate(pieces)}
        spec = proto.normalizer_spec
        metaspace = {
            "type": "Metaspace",
            "replacement": "▁",
            "prepend_scheme": "always" if spec.add_dummy_prefix else "never",
            "split": True,
        }
        charsmap = base64.b64encode(spec.precompiled_charsmap).decode()
        return {
            "normalizer": {
                "type": "Precompiled",
                "precompiled_charsmap": charsmap,
            }
            if charsmap
            else None,
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
            },
            "decoder": metaspace,
            "model": {
                "type": "Unigram",
                "unk_id": 3,
                "vocab": pieces,
                "byte_fallback": False,
            },
            "added_tokens": self._added_tokens(vocabulary, {"mask_token"}),
        }

    def _added_tokens(self, vocabulary, takes_space=()):
        """The special tokens, and those that the folder adds, by id."""
        added = {}
        for token, number in self._read(_ADDED).items():
            added[number] = _added_token(token, special=False)
        for role, (keys, names) in _ROLES.items():
            named = (self._named(key) for key in keys)
            for token in (*named, *names):
                if token in vocabulary:
                    added[vocabulary[token]] = _added_token(
                        token, lstrip=role in takes_space
                    )
        for source in (self._options, self._special):
            for entry in source.get("additional_special_tokens") or []:
                token = _content(entry)
                number = vocabulary.get(token)
                number = self._read(_ADDED).get(token, number)
                if number is not None:
                    added[number] = _added_token(token)
        decoder = self._options.get("added_tokens_decoder") or {}
        for number, entry in decoder.items():
            added[int(number)] = {**_added_token(""), **_fields(entry)}
        return [{"id": number, **added[number]} for number in sorted(added)]

    def _named(self, key, default=None):
        for source in (self._options, self._special):
            if _content(source.get(key)) is not None:
                return _content(source[key])
        return default

    def _option(self, name, default):
        value = self._options.get(name)
        return default if value is None else value

    def _read_lines(self, name):
        lines = (self.path / name).read_bytes().split(b"\n")
        try:
            return [line.decode() for line in lines]
        except UnicodeDecodeError as error:
            number = lines.index(error.object) + 1
            raise ValueError(
                f"{self.path / name}:{number}: the line is not UTF-8 "
                f"({error.reason}). Fetch the file again."
            ) from error

    def _read(self, name):
        path = self.path / name
        if not path.is_file():
            return {}
        try:
            content = json.loads(path.read_bytes())
        except (RecursionError, ValueError) as error:
            raise ValueError(f"{path} is damaged ({error}).") from error
        if not isinstance(content, dict):
            raise ValueError(
                f"{path} must hold an object. Found: {type(content).__name__}"
            )
        return content


def _with_model_type(described):
    """A description whose model says its type, which old files leave out."""
    model = described["model"]
    if "type" in model:
        return described
    if "merges" in model:
        kind = "BPE"
    elif isinstance(model.get("vocab"), list):
        kind = "Unigram"
    else:
        kind = "WordPiece"
    return {**described, "model": {"type": kind, **model}}


def _has_capitals(vocabulary):
    """Whether words of a vocabulary, special tokens apart, have capitals."""
    return any(
        token != token.lower()
        for token in vocabulary
        if not (token.startswith("[") and token.endswith("]"))
    )


def _known_tokens(description):
    vocabulary = description["model"].get("vocab", {})
    if isinstance(vocabulary, list):
        vocabulary = [piece for piece, _ in vocabulary]
    added = description.get("added_tokens") or []
    return {*vocabulary, *(token["content"] for token in added)}


def _packed_tokens(post_processor):
    """The first and last token that a tokenizer itself packs a text with."""
    if not isinstance(post_processor, dict):
        return {}
    if post_processor.get("type") in ("RobertaProcessing", "BertProcessing"):
        return {
            "start_token": post_processor["cls"][0],
            "end_token": post_processor["sep"][0],
        }
    if post_processor.get("type") == "TemplateProcessing":
        names = [
            part.get("SpecialToken", {}).get("id")
            for part in post_processor["single"]
        ]
        if len(names) > 2 and names[0] and names[-1]:
            return {"start_token": names[0], "end_token": names[-1]}
    if post_processor.get("type") == "Sequence":
        for part in post_processor["processors"]:
            if _packed_tokens(part):
                return _packed_tokens(part)
    return {}


def _content(entry):
    """A token, which stands alone or with what is said of it."""
    return entry.get("content") if isinstance(entry, dict) else entry


def _fields(entry):
    return entry if isinstance(entry, dict) else {"content": entry}


def _added_token(content, special=True, lstrip=False):
    return {
        "content": content,
        "single_word": False,
        "lstrip": lstrip,
        "rstrip": False,
        "normalized": not special,
        "special": special,
    }
