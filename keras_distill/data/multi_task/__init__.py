"""The rows of several tasks, in one order of batches."""
