"""The memory that a process took."""

import resource
import sys


def peak_memory():
    """The most bytes that the process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
