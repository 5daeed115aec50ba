"""What a student learns from the features of a teacher."""

from keras_distill.losses import functional
from keras_distill.losses.attention_distillation import AttentionDistillation
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.embeddings_distillation import EmbeddingsDistillation
from keras_distill.losses.feature_distillation import FeatureDistillation
from keras_distill.losses.feature_map_transfer import FeatureMapTransfer
from keras_distill.losses.from_keras import from_keras
from keras_distill.losses.hidden_states_distillation import (
    HiddenStatesDistillation,
)
from keras_distill.losses.logits_distillation import LogitsDistillation
from keras_distill.losses.matching import Match
from keras_distill.losses.matching import Projection
from keras_distill.losses.matching import mapped_layers
from keras_distill.losses.matching import match_tokens
from keras_distill.losses.matching import plan_projection
from keras_distill.losses.pretraining_distillation import (
    PretrainingDistillation,
)
from keras_distill.losses.ranking_distillation import RankingDistillation
from keras_distill.losses.relation_distillation import RelationDistillation

__all__ = [
    "AttentionDistillation",
    "DistillationLoss",
    "EmbeddingsDistillation",
    "FeatureDistillation",
    "FeatureMapTransfer",
    "HiddenStatesDistillation",
    "LogitsDistillation",
    "Match",
    "PretrainingDistillation",
    "Projection",
    "RankingDistillation",
    "RelationDistillation",
    "from_keras",
    "functional",
    "mapped_layers",
    "match_tokens",
    "plan_projection",
]
