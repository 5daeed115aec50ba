"""A cache serves one teacher and one set of examples, and no others."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill.teachers import TeacherCache


def test_another_teacher_is_refused(write, make_teacher):
    cache = write()
    other = make_teacher()
    with pytest.raises(ValueError, match="was made with another teacher"):
        TeacherCache(cache.path, teacher=other)
    with pytest.raises(ValueError, match="differs in: the teacher's weights"):
        write(teacher=other)


def test_one_changed_weight_is_seen(write, teacher):
    cache = write()
    kernel = teacher.weights[1]
    value = np.array(keras.ops.convert_to_numpy(kernel))
    value.flat[0] += 1e-3
    kernel.assign(value)
    with pytest.raises(ValueError, match=f"weights of '{teacher.name}'"):
        cache.check_teacher(teacher)


def test_names_and_dropout_do_not_count(write, teacher, make_teacher):
    cache = write()
    same = make_teacher(dropout=0.3)
    same.set_weights(teacher.get_weights())
    assert same.name != teacher.name
    cache.check_teacher(same)


def test_other_settings_are_refused_by_name(write):
    write()
    for arguments, difference in (
        ({"dtype": "float16"}, "dtype: float32, float16"),
        ({"shard_size": 9}, "shard_size: 8, 9"),
        (
            {"features": ["layer.pooled"]},
            r"features: \['logits'\], \['layer.pooled'\]",
        ),
    ):
        with pytest.raises(ValueError, match=f"differs in: {difference}"):
            write(**arguments)


def test_the_order_of_features_is_no_difference(write):
    write(features=["logits", "layer.pooled"])
    write(features=["layer.pooled", "logits"])


def test_other_examples_are_refused(write, make_examples):
    cache = write()
    with pytest.raises(ValueError, match="differs in: .*the examples"):
        write(examples=make_examples(seed=1))
    with pytest.raises(ValueError, match="but not that with the id"):
        cache.attach(make_examples(seed=1))


def test_other_texts_under_the_same_ids_are_refused(
    write, make_examples, examples
):
    cache = write()
    other = make_examples(seed=1)
    other.ids = examples.ids
    with pytest.raises(ValueError, match="23 of 23 .* have other texts here"):
        cache.attach(other)


def test_another_tokenizer_is_refused(
    write, make_examples, tokenizer, tmp_path
):
    cache = write(features=["layer.hidden", "logits"], path=tmp_path / "one")
    vocabulary = tokenizer.get_vocabulary()
    other = make_examples(
        tokenizer=keras_hub.models.BertTokenizer(
            vocabulary=[*vocabulary[:5], *reversed(vocabulary[5:])],
            lowercase=True,
        )
    )
    with pytest.raises(ValueError, match="23 of 23 .* tokenizer differs"):
        cache.attach(other)
    # What the teacher says of a text depends on how it reads it.
    write()
    with pytest.raises(ValueError, match="differs in: the teacher's tokenizer"):
        write(examples=other)


def test_answers_to_texts_are_for_any_tokenizer_and_length(
    write, make_examples, tokenizer
):
    cache = write(features=["layer.hidden", "layer.pooled", "logits"])
    words = tokenizer.get_vocabulary()
    other = make_examples(
        tokenizer=keras_hub.models.BertTokenizer(
            [*words[:5], *reversed(words[5:])], lowercase=True
        ),
        sequence_length=6,
    )
    of_texts = ["logits", "layer.pooled"]
    x, _ = next(cache.attach(other, of_texts).iterate(23))
    expected = cache.read(other.ids)
    for name in of_texts:
        np.testing.assert_array_equal(x[f"teacher/{name}"], expected[name])


def test_another_length_is_refused_where_it_cuts(write, make_examples):
    cache = write(features="layer.hidden")
    with pytest.raises(
        ValueError, match="sequence_length is 16 in the cache and 6 here"
    ):
        cache.attach(make_examples(sequence_length=6))
    cache.attach(make_examples(sequence_length=12))
    with pytest.raises(ValueError, match="sequence_length: 16, 12"):
        write(
            examples=make_examples(sequence_length=12),
            features="layer.hidden",
        )


def test_examples_that_carry_targets_already(write, examples):
    cache = write()
    again = cache.attach(cache.attach(examples))
    assert "teacher/logits" in next(again.iterate(2))[0]


def test_unknown_ids_are_counted(write, examples):
    cache = write()
    with pytest.raises(ValueError, match="with the id -5 and 1 more"):
        cache.read([-5, examples.ids[0], 1000, -5])


def test_a_batch_without_targets_is_refused(write, examples):
    cache = write()
    x, _ = next(examples.iterate(2))
    with pytest.raises(ValueError, match="Train on `cache.attach"):
        cache.features_of(x)


def test_texts_in_place_of_examples_are_refused(write):
    with pytest.raises(ValueError, match="must be .*TokenizedExamples.* list"):
        write().attach(["good film"])


def test_repeated_ids_are_refused(write, examples):
    repeated = examples.select(np.array([0, 1, 0]))
    with pytest.raises(ValueError, match="more than once"):
        write(examples=repeated)
    with pytest.raises(ValueError, match="at least one example"):
        write(examples=examples.select(np.array([], "int64")))


def test_a_folder_of_something_else_is_left_alone(write, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("finished")
    with pytest.raises(ValueError, match="which holds thesis.txt"):
        write(path=folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    with pytest.raises(ValueError, match="Received a file"):
        write(path=folder / "thesis.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dtype": "float64"}, "`dtype` must be one of 'float32'"),
        ({"shard_size": 0}, "`shard_size` must be an int of 1 or more"),
        ({"batch_size": 2.0}, "`batch_size` must be an int of 1 or more"),
        ({"teacher": "bert"}, "`teacher` must be a keras.Model"),
        ({"examples": ["good film"]}, "must be .*TokenizedExamples"),
        ({"features": []}, "`features` must name features"),
        ({"features": ["outputs"]}, "`features` must name features"),
        ({"features": ["hidden_states.9"]}, "no feature 'hidden_states.9'"),
    ],
)
def test_bad_arguments(write, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write(**arguments)
    assert not (tmp_path / "cache").exists()


def test_values_too_large_for_the_dtype(write, arithmetic, monkeypatch):
    monkeypatch.setattr(
        arithmetic,
        "value",
        staticmethod(lambda name, ids, length: np.full((len(ids), 2), 1e39)),
    )
    with pytest.raises(ValueError, match="too large for dtype=.float32.*1e.39"):
        write()


def test_values_that_are_no_numbers(write, arithmetic, monkeypatch):
    monkeypatch.setattr(
        arithmetic,
        "value",
        staticmethod(lambda name, ids, length: np.full((len(ids), 2), np.nan)),
    )
    with pytest.raises(ValueError, match="not a number"):
        write()


def test_a_missing_cache_is_named(tmp_path):
    with pytest.raises(ValueError, match="no teacher cache in .*nowhere"):
        TeacherCache(tmp_path / "nowhere")


def test_an_index_that_is_none_of_ours_is_left_alone(write, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "examples.safetensors").write_text("mine")
    with pytest.raises(ValueError, match="which holds examples.safetensors"):
        write()
    assert (folder / "examples.safetensors").read_text() == "mine"


def test_what_others_keep_beside_a_cache_stays(write, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / ".gitkeep").touch()
    write()
    for name in ("poetry.lock", "notes.txt"):
        (folder / name).write_text("mine")
    write()
    for name in ("poetry.lock", "notes.txt"):
        assert (folder / name).read_text() == "mine"


def test_a_link_is_followed_and_a_tilde_is_the_home(
    write, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk" / "cache")
    write(path=link)
    assert link.is_symlink()
    assert (tmp_path / "disk" / "cache" / "manifest.json").is_file()
    cache = write(path="~/cache")
    assert cache.path == tmp_path / "home" / "cache"
    assert len(TeacherCache("~/cache").features) == len(cache.features)
    assert not (tmp_path / "~").exists()
