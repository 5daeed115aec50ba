"""A cache that is not what was written is refused in a sentence."""

import json
import shutil

import numpy as np
import pytest

from keras_distill.teachers import TeacherCache

CASES = 600


@pytest.fixture
def cache(write, arithmetic):
    return write()


def read_all(path, ids):
    """Opens a cache anew and reads all of it."""
    cache = TeacherCache(path)
    found = cache.read(ids)
    cache.verify(quiet=True)
    return found


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_unhurt(cache, examples, arithmetic):
    found = read_all(cache.path, examples.ids)
    length = int(examples.lengths.max())
    np.testing.assert_array_equal(
        found["logits"], arithmetic.value("logits", examples.ids, length)
    )
    hidden = arithmetic.value("layer.hidden", examples.ids, length)
    mask = np.arange(length) < examples.lengths[:, None]
    np.testing.assert_array_equal(
        found["layer.hidden"], hidden * mask[:, :, None]
    )


def hurt(data, random):
    """Bytes as a bad disk, a bad copy or a bad editor leaves them."""
    kind = random.integers(5)
    start, stop = np.sort(random.integers(0, len(data) + 1, 2))
    if kind == 0:
        place = random.integers(len(data))
        flipped = data[place] ^ (1 << random.integers(8))
        return data[:place] + bytes([flipped]) + data[place + 1 :]
    if kind == 1:
        return data[:start]
    if kind == 2:
        return data[:start] + data[stop:]
    if kind == 3:
        return data[:start] + random.bytes(stop - start) + data[stop:]
    return data[:start] + random.bytes(random.integers(1, 99)) + data[start:]


def test_no_damage_goes_unseen(cache, examples):
    """Nothing but a `ValueError` that names the file, or the true values."""
    expected = read_all(cache.path, examples.ids)
    random = np.random.default_rng(0)
    files = sorted(cache.path.iterdir())
    refused = {path.name: 0 for path in files}
    for case in range(CASES):
        path = files[case % len(files)]
        data = path.read_bytes()
        path.write_bytes(hurt(data, random))
        try:
            found = read_all(cache.path, examples.ids)
        except ValueError as error:
            assert str(path) in str(error)
            refused[path.name] += 1
        else:
            # As after a blank more in the manifest.
            assert_same(found, expected)
        path.write_bytes(data)
    assert_same(read_all(cache.path, examples.ids), expected)
    # Cuts from a place to the same place hurt nothing.
    assert min(refused.values()) > 0.9 * CASES / len(files)


def test_every_bit_of_a_shard_counts(cache, examples):
    path = cache.path / "00002.safetensors"
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        flipped = bytes([data[place] ^ 0x10])
        path.write_bytes(data[:place] + flipped + data[place + 1 :])
        with pytest.raises(ValueError, match="00002.safetensors is damaged"):
            read_all(cache.path, examples.ids)


def test_damage_is_seen_by_who_reads_it_and_by_no_other(cache, examples):
    ids = np.sort(examples.ids)
    path = cache.path / "00000.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    opened = TeacherCache(cache.path)
    opened.read(ids[8:])
    with pytest.raises(
        ValueError, match="00000.safetensors is damaged: a checksum"
    ):
        opened.read(ids[:8])
    with pytest.raises(ValueError, match="00000.safetensors is damaged"):
        opened.verify(quiet=True)


def test_the_way_out_of_a_damaged_shard(cache, write, examples, arithmetic):
    path = cache.path / "00001.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(ValueError, match="Remove this file and call"):
        TeacherCache(cache.path)
    path.unlink()
    with pytest.raises(ValueError, match="1 of 3 shards are missing.*00001"):
        TeacherCache(cache.path)
    write()
    assert path.read_bytes() == data


def test_a_shard_in_the_place_of_another_is_refused(cache):
    shutil.copy(
        cache.path / "00000.safetensors", cache.path / "00001.safetensors"
    )
    with pytest.raises(ValueError, match="00001.safetensors .*another place"):
        TeacherCache(cache.path)


def test_a_shard_of_another_cache_is_refused(
    cache, write, tmp_path, monkeypatch, teacher
):
    monkeypatch.undo()
    other = write(path=tmp_path / "other")
    shutil.copy(
        other.path / "00000.safetensors", cache.path / "00000.safetensors"
    )
    with pytest.raises(
        ValueError, match="00000.safetensors .*another place or"
    ):
        TeacherCache(cache.path)


@pytest.mark.parametrize("name", ["manifest.json", "examples.safetensors"])
def test_a_missing_file_is_refused(cache, name):
    (cache.path / name).unlink()
    with pytest.raises(ValueError, match=name):
        TeacherCache(cache.path)


def test_an_edited_manifest_is_refused(cache):
    path = cache.path / "manifest.json"
    content = json.loads(path.read_text())
    for key in content:
        edited = {**content, key: "another"}
        path.write_text(json.dumps(edited))
        with pytest.raises(ValueError, match="manifest.json is"):
            TeacherCache(cache.path)
    # Another order of the keys means the same.
    path.write_text(json.dumps(dict(reversed(content.items()))))
    TeacherCache(cache.path).verify(quiet=True)


def test_a_later_format_is_refused_as_such(cache):
    path = cache.path / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "version": 4}))
    with pytest.raises(ValueError, match="of format version 4; this version"):
        TeacherCache(cache.path)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "7", "", "\xff"])
def test_a_manifest_of_anything_is_refused(cache, text):
    (cache.path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="manifest.json is damaged"):
        TeacherCache(cache.path)
