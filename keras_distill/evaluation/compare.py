"""Teacher, baseline and student side by side: quality, size, speed."""

import re

import numpy as np

from keras_distill import tasks
from keras_distill.checks.arguments import check_int
from keras_distill.checks.model_of import model_of
from keras_distill.evaluation import measures
from keras_distill.evaluation.comparison import Comparison
from keras_distill.evaluation.comparison import Latency
from keras_distill.evaluation.comparison import ModelResult
from keras_distill.evaluation.comparison import Ratios
from keras_distill.evaluation.comparison import Throughput
from keras_distill.evaluation.text_pipeline import make_text_pipeline
from keras_distill.io.progress import Progress


def compare(
    models,
    task,
    examples,
    *,
    reference="teacher",
    batch_size=32,
    latency_runs=200,
    throughput_runs=20,
    further_splits=None,
    quiet=False,
):
    """Measures models of a task on one dev split, from raw text on.

    Quality is the task's official metrics over all examples, from each
    model's own preprocessor; agreement is as the task counts it, of tags by
    the word. Speed is measured on texts of the split, drawn
    in a fixed random order: after a warm-up the models take turns, ten
    batches at a time, through compiled functions that accept any length, and
    tokeniser and model are timed apart. Padding goes to the longest text of
    a batch, so none at batch 1 (on JAX, which compiles for each length, to
    the next multiple of 8).

    Args:
        models: dict of name to KerasHub task with a preprocessor, of the
            class that the task has, in the order of the rows, such as
            `{"teacher": ..., "baseline": ..., "student": ...}`.
        task: `keras_distill.tasks.Task` of any kind, or its name.
        examples: with labels, the dev split: `keras_distill.tasks.Examples`,
            of tags `TaggedExamples`.
        reference: str. The model that ratios and agreement are taken
            against. Defaults to `"teacher"`.
        batch_size: int. Batch size of the predictions and of the throughput.
            Defaults to `32`.
        latency_runs: int. Number of texts timed at batch 1. Defaults to
            `200`.
        throughput_runs: int. Number of batches timed for the throughput.
            Defaults to `20`.
        further_splits: Optional dict of name to `Examples` with labels, on
            which the models are measured as well, such as MNLI's second dev
            split under `"dev_mismatched"`: each metric stands once more, as
            `"accuracy_dev_mismatched"`. Defaults to `None`.
        quiet: bool. Whether to leave out the progress bar, which is shown
            after 5 seconds. Defaults to `False`.

    Returns:
        `Comparison`.

    Raises:
        ValueError: if `reference` is not in `models`, if a model lacks a
            preprocessor, transformer layers or the task's number of outputs,
            or is of another kind,
            if `examples` is empty or has no labels, or if a number is not
            positive.

    Example:

    ```python
    from keras_distill import evaluation
    from keras_distill import students
    from keras_distill import tasks
    from keras_distill import teachers

    task, splits = tasks.load("film_reviews")
    teacher = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    student = students.create_student(teacher, "bert_3l_132d")
    comparison = evaluation.compare(
        {"teacher": teacher, "student": student},
        task,
        splits["dev"].take(16),
        latency_runs=5,
        throughput_runs=1,
    )
    print(comparison.to_markdown())
    ```
    """
    task = tasks.get_task(task)
    models = _as_models(models)
    examples = task.as_examples(examples)
    _check_numbers(
        batch_size=batch_size,
        latency_runs=latency_runs,
        throughput_runs=throughput_runs,
    )
    _check_models(models, task, reference)
    further_splits = further_splits or {}
    for name in further_splits:
        if not re.fullmatch(r"\w+", str(name)):
            raise ValueError(
                "`further_splits` must be named by letters, digits and '_', "
                f"as metrics are. Received: {name!r}."
            )
    splits = [examples, *map(task.as_examples, further_splits.values())]
    for split in splits:
        _check_examples(split)
    texts = task.texts(examples)
    pipelines = {
        name: make_text_pipeline(model, len(task.text_columns))
        for name, model in models.items()
    }
    singles = measures.sample_batches(texts, 1, latency_runs)
    batches = measures.sample_batches(texts, batch_size, throughput_runs)
    outputs, latencies, throughputs = _run(
        models, task, splits, batch_size, pipelines, singles, batches, quiet
    )
    results = {
        name: dict(
            metrics=_metrics(task, splits, further_splits, outputs[name]),
            agreement=task.agreement(outputs[reference][0], outputs[name][0]),
            parameters=measures.count_parameters(model),
            file_bytes=measures.count_file_bytes(model),
            latency=_latency(latencies[name]),
            throughput=_throughput(throughputs[name], batch_size),
        )
        for name, model in models.items()
    }
    return Comparison(
        task=task.name,
        kind=task.kind,
        selection_metric=task.selection_metric,
        num_examples=len(examples),
        reference=reference,
        batch_size=batch_size,
        latency_runs=latency_runs,
        throughput_runs=throughput_runs,
        rows=tuple(
            ModelResult(
                name=name,
                kept=_kept(results[reference], result),
                ratios=_ratios(results[reference], result),
                **result,
            )
            for name, result in results.items()
        ),
    )


def _check_numbers(**numbers):
    for name, number in numbers.items():
        check_int(name, number, minimum=1)


def _as_models(models):
    if not isinstance(models, dict):
        raise ValueError(
            "`models` must be a dict of name to classifier, such as "
            '{"teacher": teacher, "student": student}. Received: '
            f"{type(models).__name__}."
        )
    return {name: model_of(model) for name, model in models.items()}


def _check_models(models, task, reference):
    if reference not in models:
        raise ValueError(
            f"`reference` must be one of `models`, {list(models)}. "
            f"Received: reference={reference!r}."
        )
    for name, model in models.items():
        if model.preprocessor is None:
            raise ValueError(
                f"`models[{name!r}]` has no preprocessor, so it cannot read "
                "raw text. Build it with `preprocessor=...`."
            )
        if not measures.encoder_layers(model.backbone):
            raise ValueError(
                f"`models[{name!r}]` must have a backbone with "
                "`transformer_layers`, which are counted as its encoder. "
                f"Received: {type(model.backbone).__name__}."
            )
        task.check_model(model, f"`models[{name!r}]`")


def _check_examples(examples):
    if not len(examples):
        raise ValueError(
            "`examples` must hold at least one example. Received: none."
        )
    if examples.labels is None:
        raise ValueError(
            "`examples` must have labels to compute metrics. Received: an "
            "unlabelled split; use the dev split."
        )


def _metrics(task, splits, further_names, outputs):
    """The metrics of a model, then those on the further splits."""
    found = {}
    endings = ["", *(f"_{name}" for name in further_names)]
    for ending, split, predicted in zip(endings, splits, outputs, strict=True):
        scores = task.score(split, predicted)
        found |= {f"{name}{ending}": scores[name] for name in task.metrics}
    return found


def _run(models, task, splits, batch_size, pipelines, singles, batches, quiet):
    """Predicts and times.

    Returns a list of outputs, one for each split, latencies and throughputs,
    all by name.
    """
    num_batches = [-(-len(split) // batch_size) for split in splits]
    num_steps = (
        len(models) * sum(num_batches)
        + measures.num_turns(pipelines, singles)
        + measures.num_turns(pipelines, batches)
    )
    with Progress(
        "Comparing models", num_steps, unit="steps", quiet=quiet
    ) as progress:
        outputs = {}
        for name, model in models.items():
            progress.describe(f"Evaluating {name}")
            outputs[name] = []
            for split, steps in zip(splits, num_batches, strict=True):
                tokenized = task.tokenize(split, model.preprocessor)
                outputs[name].append(task.predict(model, tokenized, batch_size))
                progress.advance(steps)
        progress.describe("Timing at batch 1")
        latencies = measures.measure(pipelines, singles, progress.advance)
        progress.describe(f"Timing at batch {batch_size}")
        throughputs = measures.measure(pipelines, batches, progress.advance)
    return outputs, latencies, throughputs


def _latency(seconds):
    milliseconds = 1000.0 * seconds
    both = milliseconds.sum(axis=1)
    return Latency(
        p50_ms=float(np.percentile(both, 50)),
        p95_ms=float(np.percentile(both, 95)),
        tokenizer_p50_ms=float(np.percentile(milliseconds[:, 0], 50)),
        model_p50_ms=float(np.percentile(milliseconds[:, 1], 50)),
    )


def _throughput(seconds, batch_size):
    both = seconds.sum(axis=1)
    return Throughput(
        examples_per_second=float(batch_size / np.median(both)),
        tokenizer_share=float(np.median(seconds[:, 0] / both)),
    )


def _kept(reference, result):
    return {
        metric: value / reference["metrics"][metric]
        if reference["metrics"][metric] > 0
        else None
        for metric, value in result["metrics"].items()
    }


def _ratios(reference, result):
    ours, theirs = result["parameters"], reference["parameters"]
    return Ratios(
        encoder=theirs.encoder / ours.encoder,
        parameters=theirs.total / ours.total,
        file=reference["file_bytes"] / result["file_bytes"],
        latency=reference["latency"].p50_ms / result["latency"].p50_ms,
        throughput=result["throughput"].examples_per_second
        / reference["throughput"].examples_per_second,
    )
