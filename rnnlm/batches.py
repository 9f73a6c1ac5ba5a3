"""Mini-batches for truncated backpropagation: N places in the text, read on side by side."""

from rnnlm.errors import RnnlmError


class TimeBatches:
    """Windows of ids and targets over a text cut into N streams.

    Stream i starts at offset i * L, L = floor((n - 1) / N); window k holds the ids k*T ... k*T + T - 1
    of every stream, so that row i of one window continues row i of the window before and the hidden
    state can be carried over.  The last window is shorter where T does not divide L.

    ids (n,) int32.  Iterating yields pairs (xs, ts) of shape (N, <= T), ts shifted by one, from
    ``position`` (the offset in each stream) to the end of the streams; then position is 0 again.
    RnnlmError if the text cannot fill N streams of two tokens.
    """

    def __init__(self, ids, batch_size, time_size):
        n = len(ids)
        if n < 3:
            raise RnnlmError(f"a text must hold at least 3 tokens to train on, got {n}: give more text")
        if batch_size > (n - 1) // 2:
            raise RnnlmError(
                f"batch_size must be at most {(n - 1) // 2} for a text of {n} tokens, got {batch_size}: "
                "lower --batch-size or give more text"
            )
        self.stream_length = (n - 1) // batch_size
        used = self.stream_length * batch_size
        self.xs = ids[:used].reshape(batch_size, self.stream_length)
        self.ts = ids[1 : used + 1].reshape(batch_size, self.stream_length)
        self.time_size = time_size
        self.position = 0

    def __len__(self):
        """Windows in one pass over the text."""
        return -(-self.stream_length // self.time_size)

    @property
    def targets(self):
        """Targets in one pass over the text."""
        return self.ts.size

    def __iter__(self):
        while self.position < self.stream_length:
            window = slice(self.position, self.position + self.time_size)
            self.position += self.time_size
            yield self.xs[:, window], self.ts[:, window]
        self.position = 0
