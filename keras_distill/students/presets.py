"""Student sizes by name."""

import dataclasses
import types

from keras_distill.checks.arguments import check_int


@dataclasses.dataclass(frozen=True)
class StudentConfig:
    """The size of a BERT-like student.

    The vocabulary, the maximum sequence length and the number of segments are
    the teacher's.

    Args:
        num_layers: int. Number of transformer layers.
        hidden_dim: int. Width of the hidden states, a multiple of `num_heads`.
        num_heads: int. Attention heads per layer.
        intermediate_dim: int. Width of the feed-forward layers.
        source: string. Where the size comes from.

    Raises:
        ValueError: If a size is not a positive integer, or `hidden_dim` is not
            a multiple of `num_heads`.
    """

    num_layers: int
    hidden_dim: int
    num_heads: int
    intermediate_dim: int
    source: str

    def __post_init__(self):
        for name in (
            "num_layers",
            "hidden_dim",
            "num_heads",
            "intermediate_dim",
        ):
            check_int(name, getattr(self, name), minimum=1)
        if self.hidden_dim % self.num_heads:
            below = self.hidden_dim - self.hidden_dim % self.num_heads
            nearest = [below] if below else []
            nearest.append(below + self.num_heads)
            raise ValueError(
                "`hidden_dim` must be a multiple of `num_heads`. Received: "
                f"hidden_dim={self.hidden_dim}, num_heads={self.num_heads}. "
                f"The nearest are {' and '.join(map(str, nearest))}."
            )


_TINYBERT = "TinyBERT, Jiao et al. 2020, https://arxiv.org/abs/1909.10351"
_XTREMEDISTIL = (
    "XtremeDistilTransformers, https://huggingface.co/microsoft/xtremedistil-"
)

PRESETS = types.MappingProxyType(
    {
        "tinybert_4l_312d": StudentConfig(
            num_layers=4,
            hidden_dim=312,
            num_heads=12,
            intermediate_dim=1200,
            source=_TINYBERT,
        ),
        "tinybert_6l_768d": StudentConfig(
            num_layers=6,
            hidden_dim=768,
            num_heads=12,
            intermediate_dim=3072,
            source=_TINYBERT,
        ),
        "xtremedistil_l6_h256": StudentConfig(
            num_layers=6,
            hidden_dim=256,
            num_heads=8,
            intermediate_dim=1024,
            source=f"{_XTREMEDISTIL}l6-h256-uncased",
        ),
        "xtremedistil_l6_h384": StudentConfig(
            num_layers=6,
            hidden_dim=384,
            num_heads=12,
            intermediate_dim=1536,
            source=f"{_XTREMEDISTIL}l6-h384-uncased",
        ),
        "xtremedistil_l12_h384": StudentConfig(
            num_layers=12,
            hidden_dim=384,
            num_heads=12,
            intermediate_dim=1536,
            source=f"{_XTREMEDISTIL}l12-h384-uncased",
        ),
        "bert_3l_132d": StudentConfig(
            num_layers=3,
            hidden_dim=132,
            num_heads=12,
            intermediate_dim=528,
            source="keras_distill: 17 times fewer encoder weights than 6 x 384",
        ),
        "bert_3l_192d": StudentConfig(
            num_layers=3,
            hidden_dim=192,
            num_heads=12,
            intermediate_dim=768,
            source="keras_distill: 8 times fewer encoder weights than 6 x 384",
        ),
    }
)
"""Read-only mapping of preset names to `StudentConfig`."""
