import pathlib
import re

import keras
import keras_hub
import pytest

from keras_distill import students

# Large models, of which only the weights are counted.
pytestmark = pytest.mark.tensorflow("a count hangs on no backend")

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "students.md"


def build(num_layers, hidden_dim, num_heads, intermediate_dim, source=None):
    """A backbone of BERT's vocabulary whose weights are never allocated."""
    with keras.StatelessScope():
        return keras_hub.models.BertBackbone(
            vocabulary_size=30522,
            num_layers=num_layers,
            hidden_dim=hidden_dim,
            num_heads=num_heads,
            intermediate_dim=intermediate_dim,
        )


def build_preset(preset):
    size = students.PRESETS[preset]
    return build(
        size.num_layers,
        size.hidden_dim,
        size.num_heads,
        size.intermediate_dim,
    )


def count_encoder(backbone):
    return sum(layer.count_params() for layer in backbone.transformer_layers)


@pytest.mark.parametrize(
    "preset, parameters, encoder",
    [
        ("tinybert_4l_312d", 14_350_248, 4 * 1_142_184),
        ("tinybert_6l_768d", 66_955_008, 6 * 7_087_872),
        ("xtremedistil_l6_h256", 12_750_080, 6 * 789_760),
        ("xtremedistil_l6_h384", 22_713_216, 6 * 1_774_464),
        ("xtremedistil_l12_h384", 33_360_000, 12 * 1_774_464),
        ("bert_3l_132d", 4_746_984, 632_412),
        ("bert_3l_192d", 7_330_944, 1_334_592),
    ],
)
def test_parameter_counts(preset, parameters, encoder):
    backbone = build_preset(preset)
    assert backbone.count_params() == parameters
    assert count_encoder(backbone) == encoder
    # The page says the same.
    assert f"| {parameters:,} | {encoder:,} |" in PAGE.read_text()


@pytest.mark.parametrize(
    "preset, parameters",
    [
        ("xtremedistil_l6_h256", 12_750_080),
        ("xtremedistil_l6_h384", 22_713_216),
        ("xtremedistil_l12_h384", 33_360_000),
    ],
)
def test_students_of_a_bert_are_as_large_as_the_released_ones(
    preset, parameters
):
    # Of the teacher they have the vocabulary, positions and segments alone.
    teacher = build(1, 16, 2, 32)
    with keras.StatelessScope():
        student = students.create_student(teacher, preset)
    assert student.count_params() == parameters


@pytest.mark.parametrize(
    "preset, without_pooler",
    [
        ("xtremedistil_l6_h256", 12_684_288),
        ("xtremedistil_l6_h384", 22_565_376),
        ("xtremedistil_l12_h384", 33_212_160),
    ],
)
def test_xtremedistil_without_its_pooler(preset, without_pooler):
    backbone = build_preset(preset)
    pooler = backbone.pooled_dense.count_params()
    assert backbone.count_params() - pooler == without_pooler
    size = students.PRESETS[preset]
    assert size.intermediate_dim == 4 * size.hidden_dim
    assert size.hidden_dim // size.num_heads == 32


def test_tinybert4_is_7_6_times_smaller_than_bert_base():
    base = build(12, 768, 12, 3072).count_params()
    assert base == 109_482_240
    assert 7.5 < base / 14_350_248 < 7.7


def test_demo_presets_are_17_and_8_times_smaller_than_6_by_384():
    teacher = count_encoder(build(6, 384, 12, 1536))
    assert teacher == 10_646_784
    assert round(teacher / 632_412, 1) == 16.8
    assert round(teacher / 1_334_592, 1) == 8.0


def test_presets_are_read_only():
    with pytest.raises(TypeError):
        students.PRESETS["mine"] = None
    with pytest.raises(AttributeError):
        students.PRESETS["bert_3l_132d"].num_layers = 4


def test_width_that_heads_do_not_divide():
    with pytest.raises(
        ValueError, match=re.escape("The nearest are 96 and 108.")
    ):
        students.StudentConfig(3, 100, 12, 400, "own")
    with pytest.raises(ValueError, match=re.escape("The nearest are 12.")):
        students.StudentConfig(3, 8, 12, 400, "own")


@pytest.mark.parametrize("size", [0, -2, 1.5, None])
def test_sizes_are_positive_integers(size):
    with pytest.raises(ValueError, match="`num_layers` must be an int of 1"):
        students.StudentConfig(size, 12, 12, 48, "own")
