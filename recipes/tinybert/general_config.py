"""Every number of general distillation, what it does, the paper's value."""

import dataclasses

from recipes.common.layer_maps import parse_layer_map
from recipes.common.option_groups import CorpusOptions
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import StudentOptions
from recipes.common.option_groups import TeacherOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import option


@dataclasses.dataclass(frozen=True)
class Settings(
    DeviceOptions,
    TrainingOptions,
    StudentOptions,
    TeacherOptions,
    CorpusOptions,
):
    """The settings of a run: TinyBERT's general distillation.

    The paper's values are of Jiao et al. 2020,
    https://arxiv.org/abs/1909.10351, and of its script where the paper says
    none. The rate is for far fewer steps than the paper's.
    """

    teacher: str = like(TeacherOptions, "teacher", paper="bert_base_en_uncased")
    student: str = like(StudentOptions, "student", paper="tinybert_4l_312d")
    embeddings: str = like(StudentOptions, "embeddings", paper="random")
    student_from: str | None = like(StudentOptions, "student_from", paper=None)
    layer_map: str = option(
        "uniform",
        "which teacher layers the student learns from: uniform, last, first, "
        "or one for each of the student's, such as 2,3,5,6",
        "uniform",
    )
    batch_size: int = like(TrainingOptions, "batch_size", paper="256")
    accumulate: int = option(
        1, "batches that an update of the weights is made of", "1", minimum=1
    )
    weight_decay: float = like(TrainingOptions, "weight_decay", paper="0.01")
    rate: float = option(
        2e-3,
        "peak learning rate: it rises over a tenth of the steps and falls to 0",
        "5e-5",
        above=0,
    )
    epochs: int = option(1, "passes over the corpus", "3", minimum=1)
    steps: int | None = option(
        None, "batches in all, in place of --epochs", minimum=1
    )

    def check(self):
        """Raises on what does not go together."""
        super().check()
        parse_layer_map(self.layer_map)
        if (
            self.accumulate > 1
            and self.precision == "mixed_float16"
            and self.strategy != "none"
        ):
            raise ValueError(
                "--accumulate on several devices does not go with a loss that "
                "is scaled. Use --precision mixed_bfloat16, or a larger "
                f"--batch-size. Received: --accumulate {self.accumulate}, "
                f"--precision mixed_float16 and --strategy {self.strategy}"
            )
        if self.steps is not None and self.epochs != 1:
            raise ValueError(
                "--epochs has no effect with --steps. "
                f"Received: --epochs {self.epochs} and --steps {self.steps}"
            )
