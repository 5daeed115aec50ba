"""Training speed against TextBrewer on PyTorch.

    python -m tests.benchmarks.against_textbrewer --help

The same sizes of models, the same rows and the same losses: hidden states
through a projection for each layer, attention probabilities, soft targets and
labels. TextBrewer gets batches padded to a fixed length, as its examples do,
and models of `transformers`; `keras_distill` trains on the same batches and
on batches padded to their longest row. The three take turns, each with the
same number of threads.
"""

import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
import textbrewer
import torch
import transformers
from rich.console import Console

import keras_distill
from keras_distill import losses
from keras_distill import tasks
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.classifiers import make_classifier
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_texts import make_examples
from tests.benchmarks.random_texts import make_tokenizer
from tests.benchmarks.table import describe_sizes
from tests.benchmarks.table import print_steps
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0
_TEMPERATURE = 2.0
_PEER = "TextBrewer, fixed length"
_FIXED = "keras_distill, fixed length"
_BUCKETS = "keras_distill, length buckets"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        tuple of two float: examples per second over TextBrewer's, at equal
        padding and with length buckets.
    """
    options = _parse(arguments)
    _limit_threads(options.threads)
    console = Console()
    tokenized = tasks.TokenizedExamples(
        make_examples(options.examples, options),
        make_tokenizer(options),
        options.length,
    )
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            _PEER: _textbrewer(options, tokenized, folder),
            _FIXED: _keras_distill(options, tokenized, options.length),
            _BUCKETS: _keras_distill(options, tokenized, None),
        }
        seconds = take_turns(ways, options.runs, console)
    print_steps(console, describe_sizes(options), seconds, options, _PEER)
    fixed, buckets = (ratio(seconds, _PEER, way) for way in (_FIXED, _BUCKETS))
    console.print(
        f"keras_distill trains {fixed:.2f} times as fast as TextBrewer at "
        f"equal padding, and {buckets:.2f} times with length buckets."
    )
    return fixed, buckets


def _parse(arguments):
    parser = make_parser(
        "against_textbrewer", "Compares training speed with TextBrewer."
    )
    parser.add_argument(
        "--examples",
        type=int,
        default=6400,
        help="rows that batches are drawn from (default: %(default)s)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=2,
        help="threads of each backend (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.examples < options.steps * options.batch_size:
        parser.error("--examples must be at least --steps times --batch-size")
    return options


def _limit_threads(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    torch.set_num_threads(threads)


def _keras_distill(options, tokenized, fixed_length):
    """A function that trains for a run."""
    keras.utils.set_random_seed(_SEED)
    distiller = keras_distill.Distiller(
        make_classifier(options.teacher, options),
        make_classifier(options.student, options),
        [
            losses.HiddenStatesDistillation(projection="per_layer"),
            losses.AttentionDistillation(feature="probabilities"),
            losses.LogitsDistillation(_TEMPERATURE, loss="cross_entropy"),
        ],
    )
    compile_model(distiller)
    batches = tokenized.batches(
        options.batch_size,
        shuffle=True,
        seed=_SEED,
        fixed_length=fixed_length,
    ).take(options.steps)
    return lambda: distiller.fit(batches, shuffle=False, verbose=0)


def _textbrewer(options, tokenized, folder):
    """A function that trains for a run."""
    torch.manual_seed(_SEED)
    student = _make_bert(options.student, options)
    distiller = textbrewer.GeneralDistiller(
        textbrewer.TrainingConfig(
            device="cpu", output_dir=folder, ckpt_frequency=0
        ),
        textbrewer.DistillationConfig(
            temperature=_TEMPERATURE,
            hard_label_weight=1,
            intermediate_matches=_matches(options),
        ),
        _make_bert(options.teacher, options),
        student,
        _adapt,
        _adapt,
    )
    batches = _torch_batches(options, tokenized)

    def train():
        distiller.train(
            # Each call adds the projections to the optimizer anew.
            torch.optim.AdamW(student.parameters(), lr=1e-4),
            batches,
            num_epochs=1,
            output_hidden_states=True,
            output_attentions=True,
        )

    return train


def _make_bert(sizes, options):
    num_layers, width = sizes
    return transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=options.vocabulary_size,
            num_hidden_layers=num_layers,
            hidden_size=width,
            num_attention_heads=options.heads,
            intermediate_size=4 * width,
            max_position_embeddings=options.length,
            num_labels=2,
            # Others return no attention probabilities.
            attn_implementation="eager",
        )
    )


def _matches(options):
    """Each student layer learns from every n-th layer of the teacher."""
    teacher_layers, teacher_width = options.teacher
    student_layers, student_width = options.student
    pairs = keras_distill.layer_map.uniform(student_layers, teacher_layers)
    hidden = [
        {
            "feature": "hidden",
            "layer_S": student,
            "layer_T": teacher,
            "loss": "hidden_mse",
            "weight": 1,
            "proj": ["linear", student_width, teacher_width],
        }
        for student, teacher in pairs
    ]
    attention = [
        {
            "feature": "attention",
            # The list of hidden states begins with the embeddings, that of
            # attention with the first layer.
            "layer_S": student - 1,
            "layer_T": teacher - 1,
            "loss": "attention_mse",
            "weight": 1,
        }
        for student, teacher in pairs
    ]
    return hidden + attention


def _adapt(batch, outputs):
    """What TextBrewer is to see of a model."""
    return {
        "logits": outputs.logits,
        "hidden": outputs.hidden_states,
        "attention": outputs.attentions,
        "inputs_mask": batch["attention_mask"],
        "losses": outputs.loss,
    }


def _torch_batches(options, tokenized):
    """The batches that `keras_distill` gets at equal padding."""
    names = {
        "input_ids": "token_ids",
        "token_type_ids": "segment_ids",
        "attention_mask": "padding_mask",
    }
    batches = tokenized.iterate(
        options.batch_size,
        shuffle=True,
        seed=_SEED,
        fixed_length=options.length,
    )
    return [
        {name: torch.tensor(x[ours]).long() for name, ours in names.items()}
        | {"labels": torch.tensor(y).long()}
        for (x, y), _ in zip(batches, range(options.steps), strict=False)
    ]


if __name__ == "__main__":
    main()
