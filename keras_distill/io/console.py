"""What is shown, on a terminal that may not be able to show it."""

import sys

import rich.console


def make_console(**options):
    """A console whose output never ends a run."""
    return rich.console.Console(file=_StandardOutput(), **options)


def show(*lines):
    """Shows lines on standard output, as far as it can show them."""
    output = _StandardOutput()
    output.write("".join(f"{line}\n" for line in lines))
    output.flush()


def drop_lost_output():
    """Keeps Python from failing at its end where nobody reads any more."""
    try:
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):
        sys.stdout = None


class _StandardOutput:
    """Whatever `sys.stdout` is at the time, without its errors."""

    def write(self, text):
        try:
            try:
                _stream().write(text)
            except UnicodeEncodeError as error:
                coded = text.encode(error.encoding, "backslashreplace")
                _stream().write(coded.decode(error.encoding))
        # Closed, or at the other end of a pipe that is gone; or there is
        # none, as in a service.
        except (AttributeError, OSError, ValueError):
            pass
        return len(text)

    def flush(self):
        try:
            _stream().flush()
        except (AttributeError, OSError, ValueError):
            pass

    def isatty(self):
        try:
            return _stream().isatty()
        except (AttributeError, OSError, ValueError):
            return False

    def __getattr__(self, name):
        return getattr(_stream(), name)


def _stream():
    # While a bar is shown, rich stands in the way of what is printed.
    return getattr(sys.stdout, "rich_proxied_file", sys.stdout)
