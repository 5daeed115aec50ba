"""Distils a tiny BERT in one way and writes what comes out.

python distil.py {none,mirrored,multiworker,data_parallel} OUTPUT.npz OPTIONS

The global batches are the same for every way: lengths that differ from batch
to batch, sample weights, and a last batch that is short.
"""

import json
import sys

import keras
import keras_hub
import numpy as np

import keras_distill
from keras_distill import losses
from keras_distill import models
from keras_distill import tasks

_ROWS = 11


def classifier(num_layers, hidden_dim, num_heads):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=30,
        num_layers=num_layers,
        num_heads=num_heads,
        hidden_dim=hidden_dim,
        intermediate_dim=2 * hidden_dim,
        max_sequence_length=16,
        dropout=0.0,
    )
    return keras_hub.models.BertTextClassifier(
        backbone, num_classes=3, dropout=0.0, preprocessor=None
    )


def batches(batch_size=4, fixed_length=None, drop_remainder=False):
    """Eleven rows; each batch has a length of its own."""
    generator = np.random.default_rng(5)
    lengths = generator.integers(3, 9, _ROWS)
    labels = generator.integers(0, 3, _ROWS).astype("int32")
    weights = generator.uniform(0.2, 2, _ROWS).astype("float32")
    for start in range(0, _ROWS, batch_size):
        rows = slice(start, min(start + batch_size, _ROWS))
        if drop_remainder and rows.stop - rows.start < batch_size:
            return
        width = fixed_length or lengths[rows].max()
        mask = (np.arange(width) < lengths[rows, None]).astype("int32")
        ids = generator.integers(5, 30, mask.shape).astype("int32") * mask
        x = {
            "token_ids": ids,
            "segment_ids": 0 * ids,
            "padding_mask": mask,
        }
        yield x, labels[rows], weights[rows]


def make_distiller(
    every_loss=True, dtype=None, of_optimizer=None, **compile_options
):
    keras.utils.set_random_seed(7)
    if dtype is not None:
        keras.config.set_dtype_policy(dtype)
    teacher, student = classifier(2, 16, 2), classifier(1, 8, 2)
    chosen = [losses.LogitsDistillation(temperature=2.0)]
    if every_loss:
        chosen += [
            losses.HiddenStatesDistillation(),
            losses.AttentionDistillation(),
            losses.EmbeddingsDistillation(),
            losses.RelationDistillation(num_relation_heads=4),
        ]
    distiller = keras_distill.Distiller(teacher, student, chosen)
    distiller.compile(
        keras.optimizers.SGD(0.05, momentum=0.9, **(of_optimizer or {})),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
        **compile_options,
    )
    return distiller


def data_set(**options):
    import tensorflow as tf

    first = next(batches(**options))

    def spec(array):
        shape = [None] * array.ndim
        if options.get("fixed_length"):
            shape = array.shape
        return tf.TensorSpec(shape, array.dtype)

    count = sum(1 for _ in batches(**options))
    return tf.data.Dataset.from_generator(
        lambda: batches(**options),
        output_signature=keras.tree.map_structure(spec, first),
    ).apply(tf.data.experimental.assert_cardinality(count))


class Batches(keras.utils.PyDataset):
    """The same without TensorFlow."""

    def __init__(self, **options):
        super().__init__()
        self.all = list(batches(**options))

    def __len__(self):
        return len(self.all)

    def __getitem__(self, index):
        return self.all[index]


def train_two_tasks():
    """What two tasks in turns measure and end with, by name.

    One has a teacher; the other's last batch has a single row.
    """
    keras.utils.set_random_seed(8)
    tokenizer = keras_hub.models.BertTokenizer(
        [*("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), *map(str, range(25))]
    )
    generator = np.random.default_rng(6)

    def rows(count, labels):
        texts = [
            " ".join(map(str, generator.integers(0, 25, length)))
            for length in generator.integers(1, 9, count)
        ]
        examples = tasks.Examples((texts,), labels)
        return tasks.TokenizedExamples(examples, tokenizer, 12)

    teacher, first = classifier(2, 16, 2), classifier(1, 8, 2)
    second = keras_hub.models.BertTextClassifier(
        first.backbone, num_classes=1, dropout=0.0, preprocessor=None
    )
    distiller = keras_distill.MultiTaskDistiller(
        models.MultiTaskModel({"classes": first, "score": second}),
        {"classes": teacher},
        [losses.LogitsDistillation(), losses.HiddenStatesDistillation()],
    )
    distiller.compile(
        keras.optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.5),
        loss={
            "classes": keras.losses.SparseCategoricalCrossentropy(
                from_logits=True
            ),
            "score": "mse",
        },
        metrics={"classes": ["accuracy"]},
    )
    examples = {
        "classes": rows(7, generator.integers(0, 3, 7)),
        "score": rows(5, generator.uniform(0, 5, 5).astype("float32")),
    }
    found = distiller.fit(
        examples, batch_size=4, epochs=2, validation_data=examples, verbose=0
    ).history
    return {
        **{f"two_tasks/{name}": values for name, values in found.items()},
        **{
            f"two_tasks/weights/{i}": keras.ops.convert_to_numpy(variable)
            for i, variable in enumerate(distiller.trainable_variables)
        },
    }


def scope_of(how):
    """The context to build in, once the devices are set up."""
    if how == "data_parallel":
        return keras.distribution.DataParallel().scope()
    if how == "mirrored":
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
    return keras_distill.distribution.scope(how)


def main(how, path, options):
    scope = scope_of(how)
    data = {
        key: options.pop(key)
        for key in ("batch_size", "fixed_length", "drop_remainder")
        if key in options
    }
    make_data = data_set
    if keras.backend.backend() != "tensorflow":
        make_data = Batches
    with scope:
        distiller = make_distiller(**options)
        fit_options = {"epochs": 2, "shuffle": False, "verbose": 0}
        history = distiller.fit(make_data(**data), **fit_options).history
        measures = distiller.evaluate(
            make_data(**data), verbose=0, return_dict=True
        )
        if how != "data_parallel" and not data and not options:
            history |= train_two_tasks()
    results = {f"history/{k}": np.array(v) for k, v in history.items()}
    results |= {f"evaluate/{k}": np.array(v) for k, v in measures.items()}
    for variable in distiller.variables:
        if "seed_generator" not in variable.path:
            results[f"weights/{variable.path}"] = keras.ops.convert_to_numpy(
                variable
            )
    np.savez(path, **results)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
