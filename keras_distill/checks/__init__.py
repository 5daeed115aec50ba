"""What arguments and values may be, and how it is said where they are not."""
