"""A model's precision, written so that it is read again."""

import json
import pathlib

import keras

_Map = keras.dtype_policies.DTypePolicyMap


def precision_of(task):
    """The policy that a task's encoder was built with, layers apart.

    Args:
        task: `keras_hub.models.Task`.

    Returns:
        str, such as `"mixed_bfloat16"`.
    """
    policy = task.backbone.dtype_policy
    return (policy.default_policy if isinstance(policy, _Map) else policy).name


def quantized_layers(model):
    """The layers that hold weights of few bits.

    Args:
        model: `keras.Model`.

    Returns:
        dict of a layer's path to its `keras.dtype_policies.DTypePolicy`.
    """
    return {
        layer.path: _policy_of(layer)
        for layer in model._flatten_layers(include_self=False)
        if getattr(layer, "quantization_mode", None) is not None
    }


def with_quantized_head(config, task):
    """A task's config that builds its head as it is.

    KerasHub writes which layers of a backbone are quantized, but not of the
    head above it. The head is built with the backbone's policy, so that it
    finds itself in a list that has all.

    Args:
        config: dict, as `keras_hub.models.Task.get_config` gives it. It is
            changed.
        task: The `keras_hub.models.Task`.

    Returns:
        dict, `config`.
    """
    if "backbone" in config and quantized_layers(task):
        config["backbone"]["config"]["dtype"] = _dtype_config(task)
    return config


def write_precision(folder, task):
    """Writes a task's precision into its preset, in the way that is read.

    KerasHub's loader casts a plain precision to Keras's own, and fails on the
    name of a mixed one. A map of layers, which it knows from quantized
    models, it takes as it is.

    Args:
        folder: `pathlib.Path` of the preset.
        task: `keras_hub.models.Task`.
    """
    if precision_of(task) == "float32" and not _layer_policies(task):
        return
    dtype = _dtype_config(task)
    for name in ("config.json", "task.json"):
        path = folder / name
        if path.exists():
            content = json.loads(path.read_bytes())
            is_task = "backbone" in content["config"]
            backbone = content["config"]["backbone"] if is_task else content
            backbone["config"]["dtype"] = dtype
            path.write_text(json.dumps(content, indent=4), encoding="utf-8")


def saved_precision(folder):
    """The precision that a preset is to be loaded in, where Keras needs it.

    KerasHub loads an encoder in Keras's own precision whatever is written,
    and a task of a mixed one not at all, unless it is asked for.

    Args:
        folder: Path of a preset.

    Returns:
        str, such as `"mixed_bfloat16"`, or `None`: as the loader does it.
    """
    file = pathlib.Path(folder, "config.json")
    if not file.is_file():
        return None
    dtype = json.loads(file.read_bytes()).get("config", {}).get("dtype")
    if not isinstance(dtype, dict):
        return None
    config = dtype["config"]
    if dtype["class_name"] == "DTypePolicyMap":
        return None if config["policy_map"] else config["default_policy"]
    name = config.get("name")
    return name if str(name).startswith("mixed_") else None


def _dtype_config(task):
    return keras.dtype_policies.serialize(
        _Map(precision_of(task), _layer_policies(task))
    )


def _layer_policies(task):
    """The policies of those layers that have one of their own."""
    policy = task.backbone.dtype_policy
    layers = dict(policy) if isinstance(policy, _Map) else {}
    return layers | quantized_layers(task)


def _policy_of(layer):
    policy = layer.dtype_policy
    return policy[layer.path] if isinstance(policy, _Map) else policy
