"""What a model wrote, as a record."""

from dataclasses import dataclass

import numpy as np

from rnnlm.compute.functions import perplexity
from rnnlm.text.vocabulary import EOS


@dataclass
class Written:
    """A text that a model wrote.

    Attributes
    ----------
    number : which one it is, from 1; of a beam, its rank.
    prompt : the prompt, as it is printed.
    written : what follows it; ``text`` is both.
    tokens : the words (or characters, or subwords as text) that were written, a list of
        str; <eos> is a line end.
    log_probs : ln p of each token under the model itself, a list of float, whatever
        the temperature and the other options; None: not asked for.
    stopped : why it was cut short; "" for a text that is complete.
    """

    number: int
    prompt: str
    written: str
    tokens: list[str]
    log_probs: list[float] | None = None
    stopped: str = ""

    @property
    def text(self) -> str:
        """The prompt, and what follows it."""
        return self.prompt + self.written

    @property
    def words(self) -> int:
        """How many tokens are no line ends."""
        return len(self.tokens) - self.tokens.count(EOS)

    @property
    def log_prob(self) -> float | None:
        """The sum of ``log_probs``, nats; None without them."""
        return None if self.log_probs is None else float(np.sum(self.log_probs))

    @property
    def perplexity(self) -> float | None:
        """exp(-log_prob / number of tokens); None without ``log_probs``."""
        return None if self.log_probs is None else perplexity(-self.log_prob, len(self.tokens))
