"""A comparison with round numbers, for everything that only shows numbers."""

import pytest

from keras_distill.evaluation.comparison import Comparison
from keras_distill.evaluation.comparison import Latency
from keras_distill.evaluation.comparison import ModelResult
from keras_distill.evaluation.comparison import Parameters
from keras_distill.evaluation.comparison import Ratios
from keras_distill.evaluation.comparison import Throughput


@pytest.fixture
def make_comparison():
    """Builds a teacher, a baseline and a student from a few numbers."""

    def make(
        accuracies=(0.9, 0.8, 0.882),
        kept=(1.0, 0.889, 0.98),
        encoder_ratio=17.0,
        latency_ratio=9.1,
        metric="accuracy",
        kind="classification",
        names=("teacher", "baseline", "student"),
        timed="SavedModel",
    ):
        ratios = Ratios(encoder_ratio, 4.8, 4.7, latency_ratio, 6.9)
        latency = 20.0 / latency_ratio
        return Comparison(
            task="reviews",
            kind=kind,
            selection_metric=metric,
            num_examples=872,
            reference=names[0],
            sequence_length=64,
            batch_size=32,
            latency_runs=200,
            throughput_runs=20,
            timed=timed,
            rows=tuple(
                ModelResult(
                    name=name,
                    metrics={metric: accuracies[i]},
                    kept={metric: kept[i]},
                    agreement=(1.0, 0.84, 0.921)[i],
                    parameters=(
                        Parameters(22_713_986, 11_920_896, 10_646_016),
                        Parameters(4_750_000, 4_100_000, 626_236),
                        Parameters(4_750_000, 4_100_000, 626_236),
                    )[i],
                    file_bytes=(91_110_000, 19_130_000, 19_130_000)[i],
                    flops=(1_420_000_000, 79_200_000, 79_200_000)[i],
                    latency=(
                        Latency(20.0, 31.0, 18.5),
                        Latency(latency, 5.5, 1.2),
                        Latency(latency, 5.25, 1.1),
                    )[i],
                    throughput=(
                        Throughput(102.0),
                        Throughput(698.0),
                        Throughput(1708.0),
                    )[i],
                    ratios=Ratios(1.0, 1.0, 1.0, 1.0, 1.0)
                    if i == 0
                    else ratios,
                )
                for i, name in enumerate(names)
            ),
        )

    return make
