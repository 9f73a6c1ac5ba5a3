"""One family of errors: what the user can mend, said in one line."""


class RnnlmError(Exception):
    """Anything a user can mend. The message names the thing, the rule, the value met and the remedy."""


class DivergenceError(RnnlmError):
    """Training met a loss or gradient that is not finite; the parameters are those before that step."""
