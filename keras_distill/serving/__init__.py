"""Models as TensorFlow functions: raw text or token ids in, answers out."""
