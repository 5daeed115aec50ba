"""The same BERT in `transformers`, seen under the same names."""

import keras_hub
import numpy as np
import pytest

from tests.hugging_face_folder import encoder_weights


@pytest.fixture
def make_backbone():
    """Builds a tiny BERT with weights that all matter."""

    def make(num_layers=3, hidden_dim=8, num_heads=2):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=30,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=2 * hidden_dim,
            max_sequence_length=12,
        )
        random = np.random.default_rng(num_layers)
        for variable in backbone.variables:
            shift = random.normal(size=variable.shape, scale=0.2)
            variable.assign(variable + shift.astype("float32"))
        return backbone

    return make


@pytest.fixture
def batch():
    """Three examples of 6 tokens, of which 6, 4 and 2 are real."""
    random = np.random.default_rng(5)
    mask = (np.arange(6) < np.array([[6], [4], [2]])).astype("int32")
    return {
        "token_ids": random.integers(1, 30, (3, 6)) * mask,
        "segment_ids": (np.arange(6) >= 3) * mask,
        "padding_mask": mask,
    }


@pytest.fixture
def copy_to_torch():
    """Builds `transformers.BertModel` with the weights of a backbone."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")

    def copy(backbone):
        model = transformers.BertModel(
            transformers.BertConfig(
                vocab_size=backbone.vocabulary_size,
                hidden_size=backbone.hidden_dim,
                num_hidden_layers=backbone.num_layers,
                num_attention_heads=backbone.num_heads,
                intermediate_size=backbone.intermediate_dim,
                max_position_embeddings=backbone.max_sequence_length,
                # KerasHub's BERT has the tanh approximation of GELU.
                hidden_act="gelu_new",
                attn_implementation="eager",
            )
        )
        weights = {
            name: torch.tensor(np.asarray(value))
            for name, value in encoder_weights(backbone)
        }
        model.load_state_dict(weights)
        return model.eval()

    return copy


@pytest.fixture
def torch_features():
    """Runs `transformers.BertModel` and names what it computes as we do."""
    torch = pytest.importorskip("torch")

    def run(model, batch):
        projected = {}

        def keep(name):
            def hook(module, inputs, outputs):
                shape = (*outputs.shape[:2], model.config.num_attention_heads)
                projected[name] = outputs.reshape(*shape, -1)

            return hook

        hooks = []
        for number, layer in enumerate(model.encoder.layer, start=1):
            attention = layer.attention.self
            for kind, dense in (
                ("queries", attention.query),
                ("keys", attention.key),
                ("values", attention.value),
            ):
                hook = keep(f"{kind}.{number}")
                hooks.append(dense.register_forward_hook(hook))
        outputs = model(
            input_ids=torch.tensor(batch["token_ids"]).long(),
            token_type_ids=torch.tensor(batch["segment_ids"]).long(),
            attention_mask=torch.tensor(batch["padding_mask"]).long(),
            output_hidden_states=True,
            output_attentions=True,
        )
        for hook in hooks:
            hook.remove()
        return _named(outputs, projected)

    return run


def _named(outputs, projected):
    features = {
        "embeddings": outputs.hidden_states[0],
        "pooled": outputs.pooler_output,
        **projected,
    }
    for number, probabilities in enumerate(outputs.attentions, start=1):
        queries, keys = (
            projected[f"queries.{number}"],
            projected[f"keys.{number}"],
        )
        scores = queries.transpose(1, 2) @ keys.permute(0, 2, 3, 1)
        features |= {
            f"hidden_states.{number}": outputs.hidden_states[number],
            f"attention_probabilities.{number}": probabilities,
            f"attention_scores.{number}": scores / queries.shape[-1] ** 0.5,
        }
    return features
