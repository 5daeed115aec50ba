"""Folders that have to be converted first name the conversion."""

import json
import re

import pytest

from keras_distill import teachers


@pytest.fixture
def folder(tmp_path):
    """A folder with a config and some files that hold nothing."""

    def make(files, **config):
        config = {"model_type": "bert", "architectures": None} | config
        (tmp_path / "config.json").write_text(json.dumps(config))
        for name in files:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"")
        return tmp_path

    return make


def said(path):
    with pytest.raises(ValueError) as error:
        teachers.load_teacher(path, 2, 8)
    return str(error.value)


@pytest.mark.parametrize(
    "architecture, model",
    [
        ("BertForSequenceClassification", "SequenceClassification"),
        ("BertForTokenClassification", "TokenClassification"),
    ],
)
def test_weights_of_pytorch_alone(architecture, model, folder):
    path = folder(["pytorch_model.bin"], architectures=[architecture])
    message = said(path)
    assert "holds no model.safetensors" in message
    command = (
        f'python -c "from transformers import AutoModelFor{model} as M; '
        f"M.from_pretrained('{path}').save_pretrained('{path}')\""
    )
    assert command in message


@pytest.mark.parametrize(
    "files, way_out",
    [
        (["pytorch_model.bin.index.json", "pytorch_model-1-of-2.bin"], "Auto"),
        (["tf_model.h5"], "transformers<5.*from_tf=True"),
        (["flax_model.msgpack"], "transformers<5.*from_flax=True"),
        (["adapter_config.json"], "peft.*merge_and_unload"),
        (["checkpoint-9/model.safetensors"], "give '.*checkpoint-9'"),
        (["model.onnx"], "save_pretrained.*config.json, model.onnx"),
    ],
)
def test_other_weights(files, way_out, folder):
    assert re.search(way_out, said(folder(files)))


def test_a_pointer_is_not_the_weights(folder):
    path = folder([])
    (path / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    )
    assert "git lfs pull" in said(path)


def test_damaged_weights_are_named(folder):
    path = folder(
        ["model.safetensors"],
        vocab_size=9,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=10,
    )
    assert "model.safetensors is missing or damaged" in said(path)
    (path / "config.json").write_text("{")
    assert "config.json is missing or damaged" in said(path)


@pytest.mark.parametrize(
    "model_type, way_out",
    [
        ("electra", "no text classifier and no converter"),
        ("deberta-v2", "'deberta_v3_base_en'"),
        ("modernbert", "no encoder for 'modernbert'"),
    ],
)
def test_other_architectures_name_what_works(model_type, way_out, folder):
    """Not the folder with safetensors that was given already."""
    message = said(folder(["model.safetensors"], model_type=model_type))
    assert way_out in message
    assert "bert, roberta, xlm-roberta, distilbert, albert" in message
    assert "with safetensors" not in message


def test_folders_in_a_folder_are_named(tmp_path):
    inside = tmp_path / "checkpoint-500"
    inside.mkdir()
    (inside / "config.json").write_text("{}")
    assert f"Give one of the folders in it: {inside}." in said(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / "teacher.keras"
    file.write_bytes(b"")
    assert "keras.saving.load_model" in said(file)
