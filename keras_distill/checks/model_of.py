"""The model that is meant by an object that holds one."""

import functools


@functools.singledispatch
def model_of(thing):
    """The model that is meant, where another object of the library is given.

    Classes that hold a model register what it is. For all else it is the
    thing itself.
    """
    return thing
