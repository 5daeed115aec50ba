"""Distils a BERT as on a machine without TensorFlow; see the test beside it.

Prints one line of JSON: what was measured, by name.
"""

import json
import sys


class Hiding:
    """A finder of modules, but for those whose name begins with `tensorflow`.

    Args:
        finder: One of `sys.meta_path`.
    """

    def __init__(self, finder):
        self._finder = finder

    def __getattr__(self, name):
        return getattr(self._finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0].startswith("tensorflow"):
            return None
        return self._finder.find_spec(name, path, target)


sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]

import keras  # noqa: E402
import keras_hub  # noqa: E402
import numpy as np  # noqa: E402

import keras_distill  # noqa: E402
from keras_distill import losses  # noqa: E402
from keras_distill import students  # noqa: E402
from keras_distill import tasks  # noqa: E402

WORDS = "good bad great dull a the film plot story".split()


def main():
    keras.utils.set_random_seed(3)
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS], lowercase=True
    )
    teacher = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=2,
            num_heads=2,
            hidden_dim=8,
            intermediate_dim=16,
            dropout=0.0,
            max_sequence_length=16,
        ),
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )
    student = students.create_student(
        teacher, num_layers=1, hidden_dim=4, embeddings="teacher"
    )
    random = np.random.default_rng(0)
    texts = [
        " ".join(random.choice(WORDS, size=length))
        for length in random.integers(1, 9, size=12)
    ]
    labels = [int("good" in text) for text in texts]
    examples = tasks.Examples((texts,), labels)
    tokenized = tasks.TokenizedExamples(examples, tokenizer, 16)
    distiller = keras_distill.Distiller(
        teacher,
        student,
        [
            losses.HiddenStatesDistillation(include_embeddings=True),
            losses.AttentionDistillation(),
            losses.LogitsDistillation(),
        ],
    )
    distiller.compile(
        keras.optimizers.AdamW(0.02),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    batches = tokenized.batches(4, shuffle=True, seed=1, fixed_length=16)
    history = distiller.fit(batches, epochs=3, verbose=0).history
    held_out = tokenized.batches(4, fixed_length=16)
    evaluated = distiller.evaluate(held_out, verbose=0, return_dict=True)
    predicted = distiller.predict(held_out, verbose=0)
    logits = tasks.predict_logits(student, tokenized, batch_size=12)
    task = tasks.Task("films", ("text",), ("no", "yes"), ("accuracy",), 16)
    comparison = keras_distill.evaluation.compare(
        {"student": student},
        task,
        examples,
        reference="student",
        latency_runs=1,
        throughput_runs=1,
        quiet=True,
    )
    try:
        keras_distill.export.to_saved_model(student, "served")
    except ImportError as error:
        refusal = str(error)
    return {
        "losses": history["loss"],
        "evaluated": evaluated["loss"],
        "difference": float(np.abs(predicted - logits).max()),
        "accuracy": evaluated["accuracy"],
        "compared": comparison.row("student").metrics["accuracy"],
        "refusal": refusal,
        "imported": [
            name for name in sys.modules if name.startswith("tensorflow")
        ],
    }


if __name__ == "__main__":
    print(json.dumps(main()))
