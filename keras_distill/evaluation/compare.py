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
from keras_distill.evaluation.flops import count_flops
from keras_distill.io.progress import Progress
from keras_distill.teachers import TeacherEnsemble
from keras_distill.teachers import members_of


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
    saved_models=None,
    quiet=False,
):
    """Measures models of a task on one dev split, from raw text on.

    Quality is the task's official metrics over all examples, tokenised as
    each model's own preprocessor does; agreement is as the task counts it, of
    tags by the word. Arithmetic is counted by `count_flops`, for a text as
    long as the models read at most. Speed is that of the SavedModel that
    `keras_distill.export.to_saved_model` writes, asked as a server asks it:
    texts of the split, drawn in a fixed random order, go in, answers come
    out; and once more from token ids on, without the tokeniser. After a
    warm-up the models take turns, ten batches at a time. Padding goes to the
    longest text of a batch, so none at batch 1. JAX and PyTorch write no
    SavedModel: there the model itself is timed, as the report says (on JAX,
    which compiles for each length, padded to the next multiple of 8).

    Args:
        models: dict of name to KerasHub task with a preprocessor, of the
            class that the task has, in the order of the rows, such as
            `{"teacher": ..., "baseline": ..., "student": ...}`. A
            `keras_distill.teachers.TeacherEnsemble` of such is a row as well:
            its answers are the members' together; its size, arithmetic and
            time are the sum of theirs, which run one after the other.
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
        further_splits: Optional dict of name to rows with labels, on which
            the models are measured as well, such as MNLI's second dev split
            under `"dev_mismatched"`: each metric stands once more, as
            `"accuracy_dev_mismatched"`. Defaults to `None`.
        saved_models: Optional dict of name to the folder of a model's
            SavedModel, such as that of the student that is shipped. Those
            that are not there are written into a temporary folder. Defaults
            to `None`.
        quiet: bool. Whether to leave out the progress bar, which is shown
            after 5 seconds. Defaults to `False`.

    Returns:
        `Comparison`.

    Raises:
        ValueError: if `reference` is not in `models`, if a model lacks a
            preprocessor, transformer layers or the task's number of outputs,
            if `examples` is empty or has no labels, or if a number is not
            positive, or if a model cannot be exported.

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
    _check_numbers(
        batch_size=batch_size,
        latency_runs=latency_runs,
        throughput_runs=throughput_runs,
    )
    members = {name: members_of(model) for name, model in models.items()}
    _check_models(members, task, reference)
    alone = [name for name, found in members.items() if len(found) == 1]
    saved_models = _named("saved_models", saved_models, alone)
    further_splits = further_splits or {}
    for name in further_splits:
        if not re.fullmatch(r"\w+", str(name)):
            raise ValueError(
                "`further_splits` must be named by letters, digits and '_', "
                f"as metrics are. Received: {name!r}."
            )
    splits = {"": examples, **further_splits}
    splits = {name: task.as_examples(split) for name, split in splits.items()}
    for split in splits.values():
        _check_examples(split)
    examples = splits[""]
    runs = [(1, latency_runs), (batch_size, throughput_runs)]
    num_steps = 1 + len(models)
    num_steps += sum(measures.num_turns(models, count) for _, count in runs)
    with Progress(
        "Comparing models", num_steps, unit="steps", quiet=quiet
    ) as progress:
        tokenized, outputs = {}, {}
        for name, model in models.items():
            progress.describe(f"Evaluating {name}")
            tokenized[name] = {
                split: [
                    task.tokenize(rows, member.preprocessor)
                    for member in members[name]
                ]
                for split, rows in splits.items()
            }
            outputs[name] = {
                split: _outputs(task, model, members[name], rows, batch_size)
                for split, rows in tokenized[name].items()
            }
            progress.advance()
        progress.describe("Exporting")
        with measures.timed_models(members, task, saved_models) as timed:
            progress.advance()
            latencies, throughputs = (
                _seconds(timed, task.texts(examples), tokenized, *run, progress)
                for run in runs
            )
    length = min(
        member.preprocessor.sequence_length
        for found in members.values()
        for member in found
    )
    results = {
        name: dict(
            metrics=_metrics(task, splits, outputs[name]),
            agreement=task.agreement(outputs[reference][""], outputs[name][""]),
            parameters=measures.count_parameters(*found),
            file_bytes=sum(map(measures.count_file_bytes, found)),
            flops=sum(count_flops(member, length) for member in found),
            latency=_latency(latencies[name]),
            throughput=_throughput(throughputs[name], batch_size),
        )
        for name, found in members.items()
    }
    return Comparison(
        task=task.name,
        kind=task.kind,
        selection_metric=task.selection_metric,
        num_examples=len(examples),
        reference=reference,
        sequence_length=length,
        batch_size=batch_size,
        latency_runs=latency_runs,
        throughput_runs=throughput_runs,
        timed=measures.what_is_timed(),
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
    return {
        name: model if isinstance(model, TeacherEnsemble) else model_of(model)
        for name, model in models.items()
    }


def _check_models(members, task, reference):
    if reference not in members:
        raise ValueError(
            f"`reference` must be one of `models`, {list(members)}. "
            f"Received: reference={reference!r}."
        )
    for name, found in members.items():
        for number, model in enumerate(found, start=1):
            where = f"`models[{name!r}]`"
            if len(found) > 1:
                where = f"Member {number} of {where}"
            _check_model(model, task, where)


def _check_model(model, task, where):
    if model.preprocessor is None:
        raise ValueError(
            f"{where} has no preprocessor, so it cannot read raw text. Build "
            "it with `preprocessor=...`."
        )
    if not measures.encoder_layers(model.backbone):
        raise ValueError(
            f"{where} must have a backbone with `transformer_layers`, which "
            "are counted as its encoder. Received: "
            f"{type(model.backbone).__name__}."
        )
    task.check_model(model, where)


def _outputs(task, model, members, tokenized, batch_size):
    """What a model, or the members of an ensemble together, answers."""
    if not isinstance(model, TeacherEnsemble):
        return task.predict(model, *tokenized, batch_size)
    logits = [
        task.predict_logits(member, rows, batch_size)
        for member, rows in zip(members, tokenized, strict=True)
    ]
    return task.read_off(model.combine(logits))


def _named(argument, given, models):
    """What is given for some of the models, by name."""
    given = dict(given or {})
    unknown = [name for name in given if name not in models]
    if unknown:
        raise ValueError(
            f"`{argument}` must be named as `models` are, {list(models)}. "
            f"Received: {unknown}."
        )
    return given


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


def _metrics(task, splits, outputs):
    """The metrics of a model, then those on the further splits."""
    found = {}
    for name, split in splits.items():
        scores = task.score(split, outputs[name])
        ending = f"_{name}" if name else ""
        found |= {
            f"{metric}{ending}": scores[metric] for metric in task.metrics
        }
    return found


def _seconds(timed, texts, tokenized, batch_size, runs, progress):
    """The seconds of each batch, as `measures.measure` returns them."""
    progress.describe(f"Timing at batch {batch_size}")
    drawn = measures.sample_batches(len(texts[0]), batch_size, runs)
    columns = [np.array(column, dtype=object)[drawn] for column in texts]
    batches = {}
    for name, model in timed.items():
        # Labels may hold rows together, which here come as they are drawn.
        of_members = [
            rows.with_labels(None).select(drawn.reshape(-1)).iterate(batch_size)
            for rows in tokenized[name][""]
        ]
        batches[name] = [
            model.prepare(of_batch, [x for x, *_ in found])
            for of_batch, *found in zip(
                zip(*columns, strict=True), *of_members, strict=True
            )
        ]
    return measures.measure(timed, batches, progress.advance)


def _latency(seconds):
    whole, model = 1000.0 * seconds.T
    return Latency(
        p50_ms=float(np.percentile(whole, 50)),
        p95_ms=float(np.percentile(whole, 95)),
        model_p50_ms=float(np.percentile(model, 50)),
    )


def _throughput(seconds, batch_size):
    median = np.median(seconds[:, 0])
    return Throughput(examples_per_second=float(batch_size / median))


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
