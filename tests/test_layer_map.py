"""Facts about the maps of student layers to teacher layers."""

import json

import keras
import pytest

from keras_distill import layer_map


@pytest.mark.parametrize(
    "a_map, depths, pairs",
    [
        (layer_map.uniform, (4, 12), ((1, 3), (2, 6), (3, 9), (4, 12))),
        (layer_map.uniform, (6, 12), tuple((m, 2 * m) for m in range(1, 7))),
        (layer_map.uniform, (3, 3), ((1, 1), (2, 2), (3, 3))),
        (layer_map.last, (4, 12), ((1, 9), (2, 10), (3, 11), (4, 12))),
        (layer_map.last, (2, 5), ((1, 4), (2, 5))),
        (layer_map.top_aligned, (2, 5), ((0, 3), (1, 4), (2, 5))),
        (layer_map.top_aligned, (6, 12), tuple((m, m + 6) for m in range(7))),
        (layer_map.top_aligned, (12, 12), tuple((m, m) for m in range(13))),
        (layer_map.first, (4, 12), ((1, 1), (2, 2), (3, 3), (4, 4))),
        (layer_map.last_layer, (3, 24), ((3, 24),)),
        (layer_map.last_layer, (24, 3), ((24, 3),)),
        (layer_map.explicit([(1, 2), (2, 5)]), (2, 5), ((1, 2), (2, 5))),
        (layer_map.explicit({0: 0, 2: 7}), (2, 12), ((0, 0), (2, 7))),
        (layer_map.explicit([(1, 2), (1, 4)]), (1, 4), ((1, 2), (1, 4))),
    ],
)
def test_pairs(a_map, depths, pairs):
    assert a_map(*depths) == pairs


def test_uniform_names_the_way_out_for_depths_that_do_not_divide():
    with pytest.raises(ValueError, match="student of 1, 2, 3, 4, 6, 12 layers"):
        layer_map.uniform(5, 12)
    with pytest.raises(ValueError, match=r"layer_map\.explicit"):
        layer_map.uniform(5, 24)


@pytest.mark.parametrize(
    "a_map",
    [
        layer_map.uniform,
        layer_map.last,
        layer_map.top_aligned,
        layer_map.first,
    ],
)
@pytest.mark.parametrize("depths", [(13, 12), (0, 12)])
def test_student_must_have_a_depth_within_the_teachers(a_map, depths):
    with pytest.raises(ValueError, match=f"Received: {depths[0]} student"):
        a_map(*depths)


@pytest.mark.parametrize(
    "pairs",
    [[], {}, [(1,)], [(1, 2, 3)], [(1, -2)], [(1, 2.0)], [1, 2], ["12"]],
)
def test_explicit_takes_only_pairs_of_layers(pairs):
    with pytest.raises(ValueError, match="`pairs` must hold at least one"):
        layer_map.explicit(pairs)


def test_explicit_pairs_must_lie_within_the_models():
    pairs = layer_map.explicit([(3, 12)])
    with pytest.raises(ValueError, match="layer 3, but the student has 2"):
        pairs(2, 12)
    with pytest.raises(ValueError, match="layer 12, but the teacher has 11"):
        pairs(3, 11)


def test_explicit_shows_its_pairs():
    assert repr(layer_map.explicit({1: 2})) == "explicit([(1, 2)])"


@pytest.mark.parametrize(
    "a_map",
    [
        layer_map.uniform,
        layer_map.last,
        layer_map.top_aligned,
        layer_map.first,
        layer_map.last_layer,
        layer_map.explicit([(1, 3), (2, 4)]),
    ],
)
def test_maps_come_back_from_json(a_map):
    saved = json.dumps(keras.saving.serialize_keras_object(a_map))
    loaded = keras.saving.deserialize_keras_object(json.loads(saved))
    assert loaded(2, 4) == a_map(2, 4)
