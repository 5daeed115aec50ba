"""Rows and how they become batches."""
