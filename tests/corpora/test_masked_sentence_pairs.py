"""Pairs of sentences with masked pieces, in batches that models train on."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_distill import corpora
from keras_distill import models
from keras_distill import stages
from keras_distill.models.bert import BertBackbone
from keras_distill.packing import layout_of

_LENGTH = 24
_WORDS = [f"w{number}" for number in range(1800)]
# Three words are a sentence, ten sentences a document; no word comes twice.
_SENTENCE, _DOCUMENT = 3, 30
_FIRST = 5


@pytest.fixture(scope="module")
def make_corpus(tmp_path_factory):
    sentences = [
        " ".join(_WORDS[start : start + _SENTENCE])
        for start in range(0, len(_WORDS), _SENTENCE)
    ]
    count = _DOCUMENT // _SENTENCE
    text = "\n\n".join(
        "\n".join(sentences[start : start + count])
        for start in range(0, len(sentences), count)
    )
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
    )
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text(text)
    return lambda workers: corpora.tokenize_corpus(
        path, tokenizer, path.with_name(str(workers)), workers=workers
    )


@pytest.fixture(scope="module")
def corpus(make_corpus):
    return make_corpus(1)


@pytest.fixture(scope="module")
def rows(corpus):
    return corpora.MaskedSentencePairs(corpus, _LENGTH, seed=3)


def read(rows, *arguments, **options):
    return [
        keras.tree.map_structure(ops.convert_to_numpy, tuple(batch))
        for batch in rows.batches(*arguments, **options)
    ]


def are_equal(one, other):
    if len(one) != len(other):
        return False
    flat = zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True)
    return all(np.array_equal(a, b) for a, b in flat)


def restored(x, y, sample_weight):
    """The ids of a batch with the labels in their places."""
    ids = x["token_ids"].copy()
    chosen, number = np.nonzero(sample_weight["masked_lm"])
    places = x["mask_positions"][chosen, number]
    ids[chosen, places] = y["masked_lm"][chosen, number]
    return ids


def test_labels_put_back_are_the_pairs(corpus, rows):
    options = dict(batch_size=8, shuffle=True, seed=5, initial_epoch=1)
    plain = read(corpora.SentencePairs(corpus, _LENGTH, seed=3), **options)
    masked = read(rows, **options)

    assert len(masked) == len(plain) == rows.num_batches(8)
    for (wanted,), (x, y, sample_weight) in zip(plain, masked, strict=True):
        assert (restored(x, y, sample_weight) == wanted["token_ids"]).all()
        for name in ("segment_ids", "padding_mask"):
            assert (x[name] == wanted[name]).all()
        assert (x["token_ids"] != wanted["token_ids"]).any()


def test_how_many_are_chosen_and_where(rows):
    assert rows.max_predictions_per_row == round(0.15 * _LENGTH)
    few = corpora.MaskedSentencePairs(
        rows.corpus, _LENGTH, max_predictions_per_row=2, short=1.0
    )
    for made in (rows, few):
        for x, y, sample_weight in read(made, 16):
            weights, places = sample_weight["masked_lm"], x["mask_positions"]
            lengths = x["padding_mask"].sum(axis=1)
            most = made.max_predictions_per_row
            wanted = np.clip(np.round(0.15 * lengths), 1, most)
            assert (weights.sum(axis=1) == wanted).all()
            assert y["masked_lm"].shape == places.shape == (len(places), most)
            # From left to right, and zeros behind them.
            assert (np.diff(weights) <= 0).all()
            is_next = weights[:, 1:] == 1
            assert (np.diff(places)[is_next] > 0).all()
            assert not places[weights == 0].any()
            assert not y["masked_lm"][weights == 0].any()
            assert (y["masked_lm"][weights == 1] >= _FIRST).all()
            assert (sample_weight["next_sentence"] == 1).all()


def test_the_next_sentence_is_looked_up(rows):
    labels = []
    for x, y, sample_weight in read(rows, 16, shuffle=True):
        ids = restored(x, y, sample_weight)
        for row, segments, label in zip(
            ids, x["segment_ids"], y["next_sentence"], strict=True
        ):
            first, second = (
                row[(row >= _FIRST) & (segments == which)] - _FIRST
                for which in (0, 1)
            )
            is_next = (
                first[-1] // _DOCUMENT == second[0] // _DOCUMENT
                and first[-1] < second[0]
            )
            assert label == (0 if is_next else 1)
            labels.append(label)
    assert 0.4 < np.mean(labels) < 0.7


def test_most_become_the_mask(rows):
    now, before = [], []
    for epoch in range(8):
        for x, y, sample_weight in read(
            rows, 64, initial_epoch=epoch, first_batch=0
        ):
            is_chosen = sample_weight["masked_lm"] == 1
            ids = np.take_along_axis(
                x["token_ids"], x["mask_positions"], axis=1
            )
            now.append(ids[is_chosen])
            before.append(y["masked_lm"][is_chosen])
    now, before = np.concatenate(now), np.concatenate(before)

    assert len(now) > 2000
    shares = (
        (now == rows.corpus.tokenizer.mask_token_id).mean(),
        (now == before).mean(),
    )
    assert shares == pytest.approx((0.8, 0.1), abs=0.025)


def test_goes_on_at_any_batch(rows):
    options = dict(batch_size=8, shuffle=True, seed=5)
    whole = rows.batches(initial_epoch=2, **options)
    first, second = (
        [keras.tree.map_structure(ops.convert_to_numpy, x) for x in whole]
        for _ in range(2)
    )

    for batch in (0, 3, rows.num_batches(8)):
        rest = read(rows, initial_epoch=2, first_batch=batch, **options)
        assert are_equal(rest, [tuple(x) for x in first[batch:]])
    assert are_equal(
        [tuple(x) for x in second], read(rows, initial_epoch=3, **options)
    )
    assert not are_equal(first, second)


def test_masks_follow_from_seed_and_row_whatever_the_batch(rows):
    def ids(rows, batch_size):
        batches = read(rows, batch_size, fixed_length=_LENGTH)
        return np.concatenate([x["token_ids"] for x, *_ in batches])

    assert (ids(rows, 4) == ids(rows, 32)).all()
    other = corpora.MaskedSentencePairs(rows.corpus, _LENGTH, seed=4)
    assert ids(other, 32)[:50].tolist() != ids(rows, 32)[:50].tolist()


def test_the_number_of_reading_workers_changes_nothing(make_corpus, rows):
    other = corpora.MaskedSentencePairs(make_corpus(3), _LENGTH, seed=3)

    assert are_equal(read(other, 16), read(rows, 16))
    assert other.fingerprints() == rows.fingerprints()


@pytest.mark.parametrize(
    "tokenizer",
    [
        keras_hub.models.BertTokenizer(
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "##c"]
        ),
        # The first word of a sentence has no mark, whatever it is.
        keras_hub.models.RobertaTokenizer(
            {
                piece: number
                for number, piece in enumerate(
                    ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
                    + ["a", "b", "c", "Ġ", "Ġa", "Ġb"]
                )
            },
            ["Ġ a", "Ġ b"],
        ),
    ],
    ids=["word pieces", "byte pairs"],
)
def test_words_are_masked_whole(tokenizer):
    # Four documents of twelve sentences "abc".
    corpus = corpora.TokenizedCorpus(
        pieces=np.tile([5, 6, 7], 48),
        sentences=np.arange(49) * 3,
        documents=np.arange(5) * 12,
        largest=7,
        tokenizer=tokenizer,
        layout=layout_of(tokenizer),
        fingerprint="abc",
    )
    rows = corpora.MaskedSentencePairs(
        corpus,
        sequence_length=40,
        rate=0.3,
        whole_words=True,
        inputs=["token_ids", "padding_mask"],
    )
    found = []
    for batch in read(rows, 4):
        x, _, sample_weight = batch
        assert set(x) == {"token_ids", "padding_mask", "mask_positions"}
        is_chosen = np.zeros(x["token_ids"].shape, bool)
        chosen, number = np.nonzero(sample_weight["masked_lm"])
        is_chosen[chosen, x["mask_positions"][chosen, number]] = True
        # "b" and "c" are chosen if and only if what is before them is.
        ids = restored(*batch)
        goes_on = (ids[:, 1:] > 5) & (ids[:, :-1] >= 5)
        assert (is_chosen[:, 1:] == is_chosen[:, :-1])[goes_on].all()
        # Of a word that is cut, there is the rest alone.
        found += ids[is_chosen].tolist()
    assert len(found) > 30


def test_what_tells_rows_apart(corpus, rows):
    def found(**options):
        made = corpora.MaskedSentencePairs(corpus, _LENGTH, **options)
        return str(made.fingerprints())

    all_found = [
        found(),
        found(seed=3),
        found(rate=0.2, max_predictions_per_row=4),
        found(max_predictions_per_row=5),
        found(whole_words=True),
        str(corpora.SentencePairs(corpus, _LENGTH).fingerprints()),
    ]
    assert len(set(all_found)) == len(all_found)
    assert str(rows.fingerprints()) == all_found[1]


def test_what_is_refused(corpus):
    for options, message in (
        ({"rate": 0.0}, "`rate` must be"),
        ({"max_predictions_per_row": 0}, "`max_predictions_per_row` must be"),
        ({"whole_words": 1}, "`whole_words` must be True or False"),
    ):
        with pytest.raises(ValueError, match=message):
            corpora.MaskedSentencePairs(corpus, _LENGTH, **options)


def test_a_stage_trains_a_model_of_two_outputs(rows):
    masked_lm = models.MaskedLanguageModel(
        BertBackbone(
            vocabulary_size=_FIRST + len(_WORDS),
            num_layers=1,
            num_heads=1,
            hidden_dim=2,
            intermediate_dim=2,
            dropout=0.0,
            max_sequence_length=_LENGTH,
        )
    )
    backbone = masked_lm.backbone
    pooled = backbone(backbone.input)["pooled_output"]
    model = keras.Model(
        masked_lm.input,
        {
            "masked_lm": masked_lm.output,
            "next_sentence": keras.layers.Dense(2)(pooled),
        },
    )
    stage = stages.Stage(
        "pretraining",
        model,
        rows,
        loss={
            name: keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="mean_with_sample_weight"
            )
            for name in ("masked_lm", "next_sentence")
        },
        optimizer=lambda steps: keras.optimizers.SGD(0.0),
        steps=1,
        batch_size=4,
        compile_options={"run_eagerly": True},
    )
    assert stage.steps_per_epoch == rows.num_batches(4)
    x, y, sample_weight = read(rows, 4, shuffle=True, seed=2)[0]
    logits = {k: ops.convert_to_numpy(v) for k, v in model(x).items()}

    def loss(name):
        shifted = np.exp(logits[name] - logits[name].max(-1, keepdims=True))
        shares = shifted / shifted.sum(-1, keepdims=True)
        right = np.take_along_axis(shares, y[name][..., np.newaxis], -1)
        return np.average(-np.log(right[..., 0]), weights=sample_weight[name])

    history = stage.build().fit(
        stage.batches(seed=2, epoch=0), steps_per_epoch=1, verbose=0
    )
    wanted = loss("masked_lm") + loss("next_sentence")
    assert history.history["loss"] == pytest.approx([wanted], rel=1e-5)
