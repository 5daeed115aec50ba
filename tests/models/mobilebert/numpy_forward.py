"""MobileBERT and its teacher in plain NumPy, in float64."""

import keras
import numpy as np


def forward(backbone, batch):
    """All that a backbone shows for a batch, by the names of features.

    It reads the arguments and the weights of the backbone, and no code.

    Args:
        backbone: `MobileBertBackbone`.
        batch: dict of int arrays `(B, L)`.

    Returns:
        dict of feature name to array.
    """
    return _Forward(backbone).features(
        batch["token_ids"], batch["segment_ids"], batch["padding_mask"]
    )


def _relu(x):
    return np.maximum(x, 0)


def _gelu_tanh(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


class _Forward:
    def __init__(self, backbone):
        self.config = backbone.get_config()
        self.weights = {
            weight.path: keras.ops.convert_to_numpy(weight).astype("float64")
            for weight in backbone.weights
        }
        is_relu = self.config["activation"] == "relu"
        self.activation = _relu if is_relu else _gelu_tanh

    def features(self, ids, segments, mask):
        x = self.embeddings(ids, segments, mask)
        found = {"embeddings": x}
        for number in range(self.config["num_layers"]):
            x, inside = self.block(x, mask, f"transformer_layer_{number}")
            inside["hidden_states"] = x
            for kind, value in inside.items():
                found[f"{kind}.{number + 1}"] = value
        found["output.sequence_output"] = x
        pooled = x[:, 0]
        if self.config["use_pooler"]:
            pooled = np.tanh(self.dense(pooled, "pooled_dense"))
        return found | {"pooled": pooled}

    def embeddings(self, ids, segments, mask):
        words = self.weights["token_embedding/embeddings"][ids]
        if self.config["trigram_input"]:
            if self.config["zero_pad_embedding"]:
                words = np.where(mask[..., None] == 1, words, 0)
            # The next word, this one, and the one before.
            batch, length, width = words.shape
            trigrams = np.zeros((batch, length, 3 * width))
            for place in range(length):
                if place + 1 < length:
                    trigrams[:, place, :width] = words[:, place + 1]
                trigrams[:, place, width : 2 * width] = words[:, place]
                if place > 0:
                    trigrams[:, place, 2 * width :] = words[:, place - 1]
            words = trigrams
        x = self.dense(words, "embeddings_projection")
        x = x + self.weights["position_embedding/embeddings"][: ids.shape[1]]
        x = x + self.weights["segment_embedding/embeddings"][segments]
        return self.norm(x, "embeddings_layer_norm")

    def block(self, x, mask, name):
        s = self.dense_norm(x, f"{name}/bottleneck")
        query, value = {
            "shared_bottleneck": lambda: (
                self.dense_norm(x, f"{name}/key_query"),
                x,
            ),
            "bottleneck": lambda: (s, s),
            "block": lambda: (x, x),
        }[self.config["attention_inputs"]]()
        attended, inside = self.attention(query, value, mask, name)
        h = self.norm(attended + s, f"{name}/attention_norm")
        for number in range(self.config["num_feedforward_networks"]):
            wide = self.dense(h, f"{name}/intermediate_dense_{number}")
            out = self.dense(
                self.activation(wide), f"{name}/feedforward_dense_{number}"
            )
            h = self.norm(out + h, f"{name}/feedforward_norm_{number}")
        y = self.dense(h, f"{name}/output_dense") + x
        return self.norm(y, f"{name}/output_norm"), inside

    def attention(self, query, value, mask, name):
        def project(x, which):
            kernel = self.weights[f"{name}/attention/{which}/kernel"]
            bias = self.weights[f"{name}/attention/{which}/bias"]
            return np.einsum("bld,dhk->blhk", x, kernel) + bias

        q, k = project(query, "query"), project(query, "key")
        v = project(value, "value")
        width = self.config["intra_dim"] // self.config["num_heads"]
        scores = np.einsum("bqhk,bshk->bhqs", q, k) / np.sqrt(width)
        masked = np.where(mask[:, None, None, :] == 1, scores, -1e9)
        powers = np.exp(masked - masked.max(axis=-1, keepdims=True))
        probabilities = powers / powers.sum(axis=-1, keepdims=True)
        mixed = np.einsum("bhqs,bshk->bqhk", probabilities, v)
        out = f"{name}/attention/attention_output"
        output = np.einsum(
            "bqhk,hkd->bqd", mixed, self.weights[f"{out}/kernel"]
        )
        return output + self.weights[f"{out}/bias"], {
            "attention_scores": scores,
            "attention_probabilities": probabilities,
            "queries": q,
            "keys": k,
            "values": v,
        }

    def dense_norm(self, x, name):
        return self.norm(self.dense(x, f"{name}_dense"), f"{name}_norm")

    def dense(self, x, name):
        return x @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def norm(self, x, name):
        if self.config["normalization"] == "layer_norm":
            x = x - x.mean(axis=-1, keepdims=True)
            variance = (x**2).mean(axis=-1, keepdims=True)
            x = x / np.sqrt(variance + self.config["layer_norm_epsilon"])
        gamma = self.weights[f"{name}/gamma"]
        return gamma * x + self.weights[f"{name}/beta"]
