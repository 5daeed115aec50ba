"""The README of a preset: what it is, and how it is loaded."""

import re
import sys

import keras_hub

import keras_distill
from keras_distill.models.on_any_encoder import OnAnyEncoder
from keras_distill.models.precision import precision_of
from keras_distill.models.precision import quantized_layers

MODEL_CARD = "README.md"
# More names than these are read in their own file.
_MOST_NAMES = 20
_KERAS = ("keras", "keras_hub")


def write_model_card(folder, name, task, label_names=None, with_head=True):
    """Writes what a preset is and how it is loaded.

    Args:
        folder: `pathlib.Path` of the preset.
        name: str. What it is called.
        task: `keras_hub.models.Task`.
        label_names: Optional list of str by class index.
        with_head: bool. Whether the task's head is in it. Defaults to `True`.
    """
    model = task if with_head else task.backbone
    kind = _words(_loader(task)) if with_head else "text encoder without a head"
    facts = {
        "class": type(model).__name__,
        **_sizes(task),
        "parameters": f"{model.count_params():,}",
        **_longest(task),
        "precision": _precision(task),
    }
    if with_head:
        facts |= _outputs(task, label_names)
    rows = "\n".join(f"| {key} | {_cell(x)} |" for key, x in facts.items())
    imports, needs = _imports(task, with_head)
    code = "\n".join([*imports, "", *_code(task, with_head)])
    text = (
        f"# {name}\n\n"
        f"A {kind}, written by keras_distill "
        f"{keras_distill.__version__} as a KerasHub preset.\n\n"
        f"| | |\n|---|---|\n{rows}\n\n"
        "## Load it\n\n"
        f"In Python, from the folder that this file is in{needs}:\n\n"
        f"```python\n{code}\n```\n"
    )
    (folder / MODEL_CARD).write_text(text, "utf-8", "backslashreplace")


def _loader(task):
    """The class to call `from_preset` of: the kind of task, as a rule."""
    task_class = keras_hub.models.Task
    line = [x for x in type(task).__mro__ if issubclass(x, task_class)]
    own = [x for x in line if issubclass(x, OnAnyEncoder)]
    if own:
        # KerasHub finds the others by the class of their backbone.
        return own[-1]
    return line[line.index(task_class) - 1]


def _words(task_class):
    """`text classifier` of `TextClassifier`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", task_class.__name__).lower()


def _sizes(task):
    """Those sizes of an encoder that it tells."""
    names = {
        "layers": "num_layers",
        "width": "hidden_dim",
        "words": "vocabulary_size",
    }
    found = {k: getattr(task.backbone, x, None) for k, x in names.items()}
    return {k: f"{x:,}" for k, x in found.items() if isinstance(x, int)}


def _longest(task):
    longest = getattr(task.backbone, "max_sequence_length", None)
    length = getattr(task.preprocessor, "sequence_length", None)
    if length is None:
        return {} if longest is None else {"longest text": f"{longest} tokens"}
    most = "" if longest is None else f", at most {longest}"
    return {"longest text": f"{length} tokens{most}"}


def _precision(task):
    modes = {x.quantization_mode for x in quantized_layers(task).values()}
    return " and ".join([precision_of(task), *sorted(modes)])


def _outputs(task, label_names):
    num_outputs = getattr(task, "num_classes", None)
    if num_outputs is None:
        return {}
    if label_names is None:
        return {"outputs": str(num_outputs)}
    shown = ", ".join(label_names[:_MOST_NAMES])
    if len(label_names) > _MOST_NAMES:
        shown += f" and {len(label_names) - _MOST_NAMES} more in labels.json"
    return {"outputs": f"{num_outputs}: {shown}"}


def _cell(text):
    """A text that stays in its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _imports(task, with_head):
    """The lines that import what is needed, and a sentence that says why."""
    parts = [task] if with_head else [task.backbone, task.preprocessor]
    classes = {
        type(layer)
        for part in parts
        for layer in part._flatten_layers()
        if _package(type(layer)) not in _KERAS
    }
    modules = {"keras_hub"}
    if with_head:
        modules.add(_public_name(_loader(task)).partition(".")[0])
    needs = ""
    if classes:
        found = {_module(each) for each in classes}
        modules |= found
        needs = (
            f". `import {', '.join(sorted(found))}` makes its classes known "
            f"to Keras ({', '.join(sorted(x.__name__ for x in classes))})"
        )
    return [f"import {module}" for module in sorted(modules)], needs


def _code(task, with_head):
    if not with_head:
        return ['encoder = keras_hub.models.Backbone.from_preset(".")']
    lines = [f'model = {_public_name(_loader(task))}.from_preset(".")']
    if task.preprocessor is not None:
        texts = '["A text."]'
        if getattr(task, "num_texts", 1) == 2:
            texts = f'({texts}, ["A second."])'
        lines.append(f"print(model.predict({texts}))")
    return lines


def _package(each):
    return each.__module__.partition(".")[0]


def _module(each):
    """What to import to have a class: of this package, the whole of it."""
    ours = keras_distill.__name__
    return ours if _package(each) == ours else each.__module__


def _public_name(each):
    """Where a class is found, such as `keras_hub.models.TextClassifier`."""
    parts = [part for part in each.__module__.split(".") if part != "src"]
    for end in range(1, len(parts)):
        module = ".".join(parts[:end])
        if getattr(sys.modules.get(module), each.__name__, None) is each:
            return f"{module}.{each.__name__}"
    return f"{each.__module__}.{each.__name__}"
