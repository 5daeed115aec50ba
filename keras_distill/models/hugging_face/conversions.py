"""What has to be done first to a folder that cannot be read as it is."""

from keras_distill.models.hugging_face.families import FAMILIES
from keras_distill.models.hugging_face.files import INDEX_FILE
from keras_distill.models.hugging_face.files import WEIGHTS_FILE

# What KerasHub has of architectures that it converts from no folder.
_KERAS_HUB_HAS = {
    "deberta-v2": (
        "KerasHub has DeBERTa-v3 as presets, such as 'deberta_v3_base_en', "
        "which you can fine-tune, but no converter for it."
    ),
    "electra": (
        "KerasHub has ELECTRA's encoder as presets, such as "
        "'electra_base_discriminator_uncased_en', but no text classifier "
        "and no converter for it."
    ),
    "fnet": (
        "KerasHub has FNet as presets, such as 'f_net_base_en', which you can "
        "fine-tune, but no converter for it."
    ),
}
_POINTER = b"version https://git-lfs"


def check_convertible(folder, config):
    """Raises unless a folder holds what can be read, with the way out.

    Args:
        folder: `pathlib.Path`.
        config: dict, its `config.json`.

    Raises:
        ValueError: If no class stands for its architecture, or it holds no
            safetensors.
    """
    kind = config["model_type"]
    if kind not in FAMILIES:
        has = _KERAS_HUB_HAS.get(kind, f"KerasHub has no encoder for {kind!r}.")
        raise ValueError(
            f"The model in {folder} is of type {kind!r}. {has} No conversion "
            "of this folder works. Fine-tune a model of type "
            f"{', '.join(FAMILIES)} on the same data and give its folder; or "
            "let this one label unlabelled texts, and train a student of "
            "another kind on those labels."
        )
    for file in (WEIGHTS_FILE, INDEX_FILE):
        if (folder / file).is_file():
            _check_pointer(folder / file)
            return
    raise ValueError(f"{folder} holds no {WEIGHTS_FILE}. {_way_out(folder)}")


def _way_out(folder):
    """What turns the weights that a folder does hold into safetensors."""
    names = sorted(file.name for file in folder.iterdir())
    model = _auto_class(folder)
    if "adapter_config.json" in names:
        return (
            "It holds an adapter alone. Merge it into its model: python -c "
            f'"from peft import AutoPeftModelFor{model} as M; '
            f"M.from_pretrained('{folder}').merge_and_unload()"
            ".save_pretrained('merged')\", copy the tokenizer's files into "
            "the new folder, and give that."
        )
    for name in names:
        if name.startswith("pytorch_model") and name.endswith(".bin"):
            return (
                f"Turn its {name} into safetensors, in the same folder: "
                f'{_save(model, folder)}"'
            )
    for name, option in (
        ("tf_model.h5", "from_tf=True"),
        ("flax_model.msgpack", "from_flax=True"),
    ):
        if name in names:
            return (
                f"Turn its {name} into safetensors with transformers 4, the "
                "last to read it (pip install 'transformers<5'): "
                f'{_save(model, folder, f", {option}")}"'
            )
    inside = sorted(folder.glob(f"*/{WEIGHTS_FILE}"))
    if inside:
        return f"Its weights lie deeper: give {str(inside[-1].parent)!r}."
    return (
        "Nor are there weights in it that could be converted. Save the model "
        "with `model.save_pretrained(folder)` of transformers. The folder "
        f"holds: {', '.join(names)}."
    )


def _auto_class(folder):
    """The class of `transformers` that keeps the head."""
    text = (folder / "config.json").read_text(encoding="utf-8")
    for head in ("SequenceClassification", "TokenClassification"):
        if f"For{head}" in text:
            return head
    return ""


def _save(head, folder, option=""):
    model = f"AutoModelFor{head}" if head else "AutoModel"
    return (
        f'python -c "from transformers import {model} as M; '
        f"M.from_pretrained('{folder}'{option}).save_pretrained('{folder}')"
    )


def _check_pointer(file):
    with open(file, "rb") as opened:
        if opened.read(len(_POINTER)) == _POINTER:
            raise ValueError(
                f"{file} is a pointer of git-lfs, not the weights. Fetch them: "
                "git lfs pull, in the folder."
            )
