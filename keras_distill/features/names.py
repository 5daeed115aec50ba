"""The names under which a forward pass is seen.

A feature is named by its kind and, where there is one in each layer, by the
layer, counted from 1: `"hidden_states.3"`, `"attention_scores.3"`. Layer 0
of the hidden states is the output of the embeddings, as in Hugging Face's
`output_hidden_states`.
"""

# One tensor in each transformer layer.
HIDDEN_STATES = "hidden_states"
ATTENTION_SCORES = "attention_scores"
ATTENTION_PROBABILITIES = "attention_probabilities"
QUERIES = "queries"
KEYS = "keys"
VALUES = "values"
ATTENTION_KINDS = (
    ATTENTION_SCORES,
    ATTENTION_PROBABILITIES,
    QUERIES,
    KEYS,
    VALUES,
)
LAYER_KINDS = (HIDDEN_STATES, *ATTENTION_KINDS)

# One tensor in the whole model.
EMBEDDINGS = "embeddings"
POOLED = "pooled"
LOGITS = "logits"
PADDING_MASK = "padding_mask"

# What the model itself returns, whatever its structure, and one tensor of it
# where there are several: "output.start".
OUTPUTS = "outputs"
OUTPUT = "output"

# The output of any layer by its name: "layer.my_dense".
LAYER = "layer"


def layer_feature(kind, layer):
    """The name of a feature of one layer, such as `"hidden_states.3"`.

    Args:
        kind: str. One of `LAYER_KINDS`, or `"layer"`.
        layer: int or str. The layer, counted from 1, or its name.

    Returns:
        str. Layer 0 of the hidden states is called `"embeddings"`.
    """
    if kind == HIDDEN_STATES and layer == 0:
        return EMBEDDINGS
    return f"{kind}.{layer}"


def named_outputs(outputs):
    """Gives each tensor that a model returns the name of a feature.

    Args:
        outputs: One tensor, or a dict, list or tuple of tensors.

    Returns:
        dict of name to tensor: `{"logits": ...}` for one tensor, otherwise
        `{"output.<key>": ...}`, where the key of a list is its index.
    """
    if isinstance(outputs, dict):
        items = outputs.items()
    elif isinstance(outputs, (list, tuple)):
        items = enumerate(outputs)
    else:
        return {LOGITS: outputs}
    return {f"{OUTPUT}.{key}": tensor for key, tensor in items}
