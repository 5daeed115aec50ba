"""What every kind of task must fulfil, as one call."""

import dataclasses
import json

import keras
import numpy as np
from keras import ops

from keras_distill.data.examples import Examples
from keras_distill.tasks.kinds import KINDS
from keras_distill.tasks.task import Task
from keras_distill.teachers import LoadedTeacher

_STEPS = 20
_RATE = 1e-2


def check_task(task, examples, model, *, reference, chance, tolerance=1e-6):
    """Checks what every kind of task must fulfil, on tiny data.

    - The kind is registered, and the task comes back from JSON as it was;
      each metric that fits can select.
    - Labels are encoded once: encoding them again changes nothing. A part is
      held out by a seed, and no row is lost.
    - The model is taken for one of the task, and its encoder alone is not;
      as a teacher it is taken too, and a head of another kind of problem is
      not.
    - Rows are tokenised in order, and plain texts without labels as well.
    - Predictions come in the rows' order, whatever the batch size.
    - The metrics are those of `reference`, and the chance level is `chance`.
      A model agrees with itself.
    - The student's outputs are distilled: the loss is least where they equal
      the teacher's, and finite elsewhere.
    - Training on the labels lowers their loss.
    - A served model answers strings, each as it does alone, and an empty
      batch. Checked on TensorFlow, which alone serves.

    The model is trained a few steps.

    Args:
        task: `keras_distill.tasks.Task`, of the kind to check.
        examples: of the task's `examples_class`, labelled, 4 or more, of
            different lengths.
        model: a tiny KerasHub task of the task's `model_class`, with a
            preprocessor and weights so large that its outputs differ from
            text to text.
        reference: Callable `(labels, outputs)` that computes the metrics in
            NumPy, from encoded labels and what `task.predict` returned: a
            dict of metric to float, in the order of `task.metrics`.
        chance: float. What `task.chance` must say of the examples' labels.
        tolerance: float. The largest error of a metric. Defaults to `1e-6`.

    Raises:
        AssertionError: If a check fails; the message says which one, and
            what was found.

    Example:

    ```python
    import keras_hub
    import numpy as np
    from keras_distill import tasks
    from keras_distill.testing import check_task


    def accuracy(labels, outputs):
        return {"accuracy": np.mean(labels == np.argmax(outputs, axis=1))}


    tokenizer = keras_hub.models.BertTokenizer(
        "[PAD] [UNK] [CLS] [SEP] [MASK] a fine dull film".split(),
        lowercase=True,
    )
    model = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(
            vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=8,
            intermediate_dim=16, max_sequence_length=16,
        ),
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )
    check_task(
        tasks.Task("mood", ("text",), ("sad", "glad"), ("accuracy",), 16),
        tasks.Examples((["fine", "a dull film", "dull", "a fine film"],),
                       labels=[1, 0, 0, 1]),
        model,
        reference=accuracy,
        chance=0.5,
    )
    ```
    """
    _check_description(task)
    _check_rows(task, examples)
    found = task.chance(task.encode_labels(examples.labels))
    assert abs(found - chance) <= tolerance, (
        f"`chance` says {found}, where {chance} was expected."
    )
    _check_distillation(task)
    _check_models(task, model)
    tokenized = _check_tokenizing(task, examples, model)
    outputs = _check_predictions(task, tokenized, model)
    _check_scores(task, examples, tokenized, outputs, reference, tolerance)
    _check_training(task, tokenized, model)
    if keras.backend.backend() == "tensorflow":
        _check_serving(task, examples, model)


def _check_description(task):
    assert KINDS.get(task.kind) is type(task), (
        f"the kind {task.kind!r} is not registered as {type(task).__name__}; "
        "put `@keras_distill.tasks.register_kind` above the class."
    )
    copy = Task.from_config(json.loads(json.dumps(task.to_config())))
    assert copy == task, f"from JSON came {copy}, not {task}."
    fitting = task.fitting_metrics(task.label_names)
    assert set(task.metrics) <= set(fitting), (
        f"`fitting_metrics` lacks {set(task.metrics) - set(fitting)}."
    )
    for metric in fitting:
        other = task.selected_by(metric)
        assert other.selection_metric == metric, (
            f"`selected_by({metric!r})` is selected by "
            f"{other.selection_metric!r}."
        )
        assert {metric, *task.metrics} == set(other.metrics), (
            f"`selected_by({metric!r})` measures {other.metrics}."
        )


def _check_rows(task, examples):
    assert isinstance(examples, task.examples_class), (
        f"`examples` must be {task.examples_class.__name__} as "
        f"`examples_class` says, not {type(examples).__name__}."
    )
    assert task.as_examples(examples) is examples, (
        "`as_examples` changes what are examples already."
    )
    _equal(
        task.encode_labels(examples.labels),
        examples.labels,
        "encoding labels again changes them",
    )
    texts = task.texts(examples)
    lengths = [len(column) for column in texts]
    assert lengths == [len(examples)] * len(task.text_columns), (
        f"`texts` gives columns of {lengths} texts for {len(examples)} rows "
        f"and the columns {task.text_columns}."
    )
    train, held_out = task.hold_out(examples, share=0.3, seed=1, minimum=1)
    again = task.hold_out(examples, share=0.3, seed=1, minimum=1)[1]
    _equal(held_out.ids, again.ids, "the same seed holds other rows out")
    assert len(held_out) and sorted([*train.ids, *held_out.ids]) == sorted(
        examples.ids
    ), "`hold_out` loses rows, or has them twice."


def _check_models(task, model):
    task.check_model(model)
    _refuses(
        lambda: task.check_model(model.backbone),
        "`check_model` takes an encoder without a head",
    )
    same = LoadedTeacher(model, True, task.label_names, task.problem_type)
    task.check_teacher(same)
    other = dataclasses.replace(same, problem_type="another_problem")
    _refuses(
        lambda: task.check_teacher(other),
        "`check_teacher` takes a head of another kind of problem",
    )
    task.check_teacher(dataclasses.replace(other, has_head=False))


def _check_tokenizing(task, examples, model):
    tokenized = task.tokenize(examples, model.preprocessor)
    assert len(tokenized) == len(examples), "`tokenize` loses rows."
    _equal(tokenized.ids, examples.ids, "`tokenize` changes the order of rows")
    _equal(tokenized.labels, examples.labels, "`tokenize` changes the labels")
    texts = Examples(task.texts(examples))
    plain = task.tokenize(task.unlabelled(texts), model.preprocessor)
    assert plain.labels is None, "`unlabelled` texts have labels."
    assert len(plain) == len(examples), "`unlabelled` loses texts."
    return tokenized


def _check_predictions(task, tokenized, model):
    outputs = task.predict(model, tokenized)
    assert len(outputs) == len(tokenized), (
        f"`predict` gives {len(outputs)} outputs for {len(tokenized)} rows."
    )
    order = np.arange(len(tokenized))[::-1]
    backwards = task.predict(model, tokenized.select(order), batch_size=1)
    for row, place in enumerate(order):
        _close(
            outputs[row],
            backwards[place],
            "`predict` depends on the order of rows or on the batch size",
        )
    read = task.read_off(task.predict_logits(model, tokenized))
    for ours, theirs in zip(outputs, read, strict=True):
        _close(
            ours,
            theirs,
            "`predict` does not give what `read_off` takes of the logits of "
            "`predict_logits`",
        )
    return outputs


def _check_scores(task, examples, tokenized, outputs, reference, tolerance):
    labels = task.encode_labels(examples.labels)
    scores = task.score(examples, outputs)
    expected = reference(labels, outputs)
    assert list(expected) == list(task.metrics), (
        f"`reference` gives {list(expected)} for the metrics {task.metrics}."
    )
    assert list(scores)[: len(task.metrics)] == list(task.metrics), (
        f"`score` gives {list(scores)} for the metrics {task.metrics}."
    )
    for name, value in expected.items():
        found = scores[name]
        assert isinstance(found, float) and np.isfinite(found), (
            f"`score` gives {found!r} as {name}, which is no finite float."
        )
        assert abs(found - value) <= tolerance, (
            f"`score` gives {found} as {name}, the reference {value}."
        )
    assert task.score(tokenized, outputs) == scores, (
        "`score` of tokenised rows is not that of the examples."
    )
    agreement = task.agreement(outputs, outputs)
    assert np.isclose(agreement, 1.0), (
        f"`agreement` of outputs with themselves is {agreement}, not 1."
    )


def _check_distillation(task):
    loss = task.output_distillation()
    generator = np.random.default_rng(0)
    teacher, student = generator.normal(size=(2, 5, task.num_outputs)).astype(
        "float32"
    )
    least, value = (
        ops.convert_to_numpy(loss.per_example(teacher, of_student))
        for of_student in (teacher, student)
    )
    assert np.isfinite(value).all() and value.shape == (5,), (
        f"`output_distillation` gives {value} for 5 rows."
    )
    assert (least < value).all(), (
        "`output_distillation` is not least for the teacher's own outputs: "
        f"{least} there, {value} elsewhere."
    )
    text = json.dumps(keras.saving.serialize_keras_object(loss))
    copy = keras.saving.deserialize_keras_object(json.loads(text))
    assert copy.get_config() == loss.get_config(), (
        "`output_distillation` does not come back from JSON."
    )


def _check_training(task, tokenized, model):
    # By their class, since KerasHub's own functions run the preprocessor;
    # `None` would leave it the accuracy of classes that it is made with.
    keras.Model.compile(
        model, keras.optimizers.Adam(_RATE), task.label_loss(), metrics=[]
    )
    rows = tokenized.with_inputs(model.input)

    def loss():
        # Without dropout, which makes that of training go up and down.
        batches = rows.batches(len(rows))
        return keras.Model.evaluate(model, batches, verbose=0)

    before = loss()
    keras.Model.fit(model, rows.batches(len(rows)), epochs=_STEPS, verbose=0)
    after = loss()
    assert np.isfinite(after) and after < before, (
        f"training does not lower `label_loss`: from {before} to {after}."
    )


def _check_serving(task, examples, model):
    import tensorflow as tf

    served = task.served_model(
        model,
        task.text_columns,
        task.label_names,
        model.preprocessor.sequence_length,
    )
    answer = served.signatures()["serving_default"]
    texts = dict(zip(task.text_columns, task.texts(examples), strict=True))
    texts = {name: tf.constant(column) for name, column in texts.items()}
    together = answer(**texts)
    assert together, "`served_answer` answers nothing."
    for row in range(len(examples)):
        alone = answer(
            **{name: column[row : row + 1] for name, column in texts.items()}
        )
        for name, values in alone.items():
            # Of words, a batch is as wide as its longest text.
            width = tuple(slice(size) for size in values.shape[1:])
            _close(
                together[name][row][width].numpy(),
                values[0].numpy(),
                f"the served {name!r} of a text depends on its batch",
            )
    none = answer(**{name: column[:0] for name, column in texts.items()})
    assert all(len(values) == 0 for values in none.values()), (
        "an empty batch is answered with rows."
    )


def _refuses(call, message):
    try:
        call()
    except ValueError:
        return
    raise AssertionError(f"{message}: no ValueError was raised.")


def _equal(found, expected, message):
    same = len(found) == len(expected) and all(
        np.array_equal(one, other)
        for one, other in zip(found, expected, strict=True)
    )
    assert same, f"{message}: {found} is not {expected}."


def _close(found, expected, message):
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype.kind == "f":
        same = np.allclose(found, expected, rtol=1e-4, atol=1e-6)
    else:
        same = np.array_equal(found, expected)
    assert same, f"{message}: {found} is not {expected}."
