"""Token ids: made once, kept on disk, batched by length."""
