"""Lines and bars for the person at the screen.

No line moves the cursor, and a reader who leaves does not end a run.  Results go to
standard output, everything else to standard error.
"""

import errno
import io
import os
import stat
import sys
from contextlib import contextmanager, suppress

from rnnlm.errors import UNSEEN, RnnlmError, one_line, shown
from rnnlm.files.cache import cache_folder
from rnnlm.files.whole import reason

LONGEST_NAME = 25  # characters of a file's name beside a bar


def note(line):
    """Write a line on standard error, what cannot be shown as escapes.

    Where nobody can read it, nothing is lost.
    """
    # A RuntimeError: the line comes from the handler of a signal, which arrived while
    # another one was being written.
    with suppress(OSError, ValueError, AttributeError, RuntimeError):
        _write(one_line(line) + "\n", sys.stderr)


def say(line):
    """Write a training run's line on standard output, what cannot be shown as escapes.

    It never ends the run.  Where the reader has left, lines go nowhere from then on.
    Where there is no room, they go to standard error.
    """
    try:
        _write(one_line(line) + "\n", sys.stdout)
    except OSError as error:
        reader_left = _reader_left(error)
        silence()
        if not reader_left:
            note(f"note: standard output could not be written: {reason(error)}; the run continues and prints "
                 "its lines here")
            note(line)
            _redirect(sys.stderr)


def show(text):
    """Write results on standard output, as they are.

    Raises
    ------
    BrokenPipeError : the reader left, as head does.
    RnnlmError : they cannot be written for another reason; the command ends.
    """
    try:
        _write(text, sys.stdout)
    except BrokenPipeError:
        raise
    except OSError as error:
        silence()
        raise RnnlmError(f"standard output could not be written: {reason(error)}; free some disk space, or "
                         "redirect it elsewhere") from error


def _write(text, stream):
    """Write the text at once, with escapes for what the stream's encoding lacks.

    None, no screen at all, is a stream, too.
    """
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None)
    if encoding and not text.isascii():
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    raw = getattr(stream, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        _write_all(text.replace("\n", os.linesep).encode(encoding), raw)
    else:
        stream.write(text)
        stream.flush()


def _write_all(data, raw):
    """Write to a stream without a buffer, as standard output is by PYTHONUNBUFFERED.

    Such a stream may take a part of the data, on a full disk or when a reader leaves.
    A text stream on it would lose the rest without an error.
    """
    while data:
        written = raw.write(data)
        if written is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        data = data[written:]


def is_terminal(stream):
    """Whether a person sees this stream; not if it is closed or its terminal gone."""
    try:
        return stream.isatty()
    except (OSError, ValueError, AttributeError):
        return False


def without_controls(text):
    """The text with escapes for what a terminal obeys, but for line ends and tabs.

    Also for what is not seen, or turns the direction of the words around it.
    """
    return UNSEEN.sub(lambda match: match[0] if match[0] in "\t\n" else one_line(match[0]), text)


def first_few(words):
    """The first ten of a list of words, for a line."""
    return one_line(", ".join(shown(word, 40) for word in words[:10])) + (", ..." if len(words) > 10 else "")


def silence():
    """Discard what is still to be written to standard output."""
    with suppress(OSError), open(os.devnull, "wb") as nowhere:
        _redirect(nowhere)


def let_go():
    """Discard what a terminal that is gone, or a full disk, has not taken.

    Where that matters it was said.  Python would try once more at its end, and make the
    exit code 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (ValueError, AttributeError):  # closed, or none
            pass
        except OSError:
            with suppress(OSError), open(os.devnull, "wb") as nowhere:
                _redirect(nowhere, stream)


def _redirect(target, stream=None):
    """Send what is still to be written to a stream to an open file.

    stream: None: standard output.
    """
    stream = stream or sys.stdout
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(target.fileno(), stream.fileno())
        stream.flush()


def _reader_left(error):
    """Whether nobody reads standard output: a closed pipe, or a terminal now gone."""
    if error.errno == errno.EIO:  # of a file it would be a broken disk
        with suppress(OSError, ValueError, AttributeError):
            return stat.S_ISCHR(os.fstat(sys.stdout.fileno()).st_mode)
    return error.errno == errno.EPIPE


def file_bar(verb):
    """A function (name, size) that opens a bar for a file.

    It returns the callback that moves the bar by so many bytes.
    """

    def open_bar(name, size):
        bar = _bar(f"{verb} {name}", size)

        def on_bytes(count):
            bar.update(count)
            if bar.n >= size:
                bar.close()

        return on_bytes

    return open_bar


@contextmanager
def scoring_bar(path, tokens, verb="scoring"):
    """A block with a bar for a text that is scored, or what the verb says.

    It yields the function that moves the bar by so many tokens.
    """
    if not is_terminal(sys.stderr):  # then tqdm need not even be imported
        yield lambda _: None
        return
    name = os.path.basename(path)
    with _bar(f"{verb} {name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + '...'}", tokens) as bar:
        yield bar.update


def _bar(description, total):
    from tqdm import tqdm

    return tqdm(total=total, desc=one_line(description), disable=not is_terminal(sys.stderr), leave=False,
                dynamic_ncols=True, bar_format="{desc}: {percentage:3.0f}%|{bar}| {remaining} left")


def encoding_bar(name, size):
    """The bar for a long text, after a line that says what happens to it."""
    note(f"note: {name} is long and is encoded into {cache_folder() / 'encoded'}; later runs read it from there")
    return file_bar("encoding")(name, size)
