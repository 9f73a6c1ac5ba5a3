"""Notes about a corpus before it is trained on, a line each.

Above all they tell of signs that a text is not what it should be: one sentence a line,
with blanks between words.  Otherwise its perplexity may look far too good.  Each note
names what to do.
"""

from rnnlm.errors import counted
from rnnlm.text.vocabulary import EOS, UNK

SMALL = 1000       # tokens of a text below which its perplexity is mostly chance
TINY = 4           # entries of a vocabulary below which there is next to nothing to predict
MANY_BLANK = 0.05  # share of blank lines: paragraphs of twenty sentences have as many
MANY_GONE = 0.4    # share of the words that became <unk>: ordinary text of a thousand words has less
LONG_LINE = 500    # words a line: paragraphs have fewer
MARKERS = {f"{left}{name}{right}" for left, right in (("<", ">"), ("[", "]")) for name in
           ("s", "/s", "bos", "eos", "sos", "start", "end", "cls", "sep", "|endoftext|")}  # around sentences, elsewhere
UNKNOWNS = {f"{left}{name}{right}" for left, right in (("<", ">"), ("[", "]"), ("(", ")"), ("_", "_"))
            for name in ("unk", "unknown", "oov")}


def used_notes(how, size, train):
    """How one text became three, and how much of the training text is used.

    how: that in words; "" for three texts.
    """
    if how:
        yield how
    if train.size < size:
        yield f"only the first {train.size:,} of the training text's {size:,} tokens are used (--max-tokens)"


def vocabulary_note(counts, vocabulary, min_count, max_vocab):
    """What became of rare words.

    counts: dict, how often each word of the training text occurs.
    """
    gone = len(counts.keys() - vocabulary.ids.keys())
    if gone:
        reason = f"seen fewer than {min_count} times" if max_vocab is None else "too rare for the vocabulary"
        return f"{counted(gone, vocabulary.tokenizer.unit)} of the training text became {UNK}: {reason}"
    if vocabulary.tokenizer.tokens:
        return f"no {UNK}: every text can be written in the {len(vocabulary.tokenizer.tokens):,} subwords"
    if vocabulary.unk_id is None:
        return f"no {UNK}: the vocabulary contains every training {vocabulary.tokenizer.unit}"
    return f"{UNK} occurs in the training text, so unknown words are read as {UNK}"


def lacking_note(counts, vocabulary, given):
    """Which words of the training text a given vocabulary lacks.

    vocabulary: the one that is used, perhaps with new words.
    """
    unit, lacking = vocabulary.tokenizer.unit, counts.keys() - given.ids.keys()
    size, distinct = f"the model's vocabulary of {len(given):,}", len(counts) - 1
    if not lacking:
        return f"{size} has all {distinct:,} different {unit}s of the training text"
    text = (f"{size} lacks {len(lacking):,} of the {distinct:,} different {unit}s of the training text, "
            f"{_percent(lacking, counts)} of its {counted(_words(counts), unit)}")
    if vocabulary is given:
        return f"{text}: read as {UNK}; --extend-vocab adds them"
    rest = lacking - vocabulary.ids.keys()
    new = ", which is new" if given.unk_id is None else ""
    left = f", the others, {_percent(rest, counts)}, are read as {UNK}{new}" if rest else ""
    return f"{text}: {len(lacking) - len(rest):,} are added{left}"


def _words(counts):
    """How many words a text has, line ends apart."""
    return sum(counts.values()) - counts[EOS]


def _percent(words, counts):
    """The share of these words in a text, line ends apart."""
    return f"{100 * sum(counts[word] for word in words) / max(1, _words(counts)):.1f} %"


def text_notes(valid, test, vocabulary):
    """What is unknown in the two other texts, and whether they are too short."""
    fate = "left out" if vocabulary.unk_id is None else f"read as {UNK}"
    notes = []
    for split, text in (("validation", valid), ("test", test)):
        if text.oov:
            are = "is" if text.oov == 1 else "are"
            words = counted(text.words, vocabulary.tokenizer.unit)
            notes.append(f"{text.oov:,} of the {words} in the {split} text {are} not in the vocabulary: {fate}")
        if text.ids.size < SMALL:
            notes.append(f"the {split} text has only {counted(text.ids.size, 'token')}: its perplexity is unreliable")
    return notes


def odd_notes(train, counts, vocabulary, can_grow=True, documents=False):
    """What makes a perplexity misleading, in a training text (Tokens).

    can_grow: whether the vocabulary takes words from the text.
    documents: whether blank lines are said to separate documents.
    """
    lines = counts[EOS]
    if vocabulary.tokenizer.has_blanks:
        return _carriage_returns(counts.get("\r", 0), lines)
    words = sum(counts.values()) - lines
    blank = train.blank_lines()
    special = {word: count for word, count in counts.items() if word[0] in "<[(_" or word == "UNK"}
    return [*_markers(special, lines - blank), *_other_unknowns(special, words),
            *_blank(0 if documents else blank, lines), *_line_lengths(words, lines, blank),
            *_little_to_predict(counts, words, vocabulary, can_grow)]


def _markers(counts, lines):
    """Words that only mark where a sentence begins or ends."""
    found = [word for word in counts if word.lower() in MARKERS and word != EOS and 2 * counts[word] >= lines > 0]
    if found:
        occur, are, them = ("occurs", "is", "it") if len(found) == 1 else ("occur", "are", "them")
        yield (f"{' and '.join(found)} {occur} in almost every line of the training text and {are} predicted like "
               f"words, which lowers the perplexity: remove {them}, because every line end is {EOS} already")


def _other_unknowns(counts, words):
    """Words that mean unknown words elsewhere; without brackets they may be words."""
    for word in counts:
        bracketed = word.lower() in UNKNOWNS and word != UNK
        if bracketed or (word == "UNK" and 1000 * counts[word] > words):
            yield (f"{word} occurs {counted(counts[word], 'time')} in the training text and is an ordinary word here: "
                   f"spell it {UNK} if it means an unknown word")


def _blank(blank, lines):
    if blank > MANY_BLANK * lines:
        yield (f"{blank:,} of the training text's {lines:,} lines are blank, and each counts as a sentence without "
               "words: if they do not separate documents, remove them, for example with sed '/^[[:space:]]*$/d'")


def _line_lengths(words, lines, blank):
    if words >= LONG_LINE * (lines + 1):
        yield (f"the training text has {counted(words, 'word')} and {counted(lines, 'line end')}, so the model "
               "hardly sees the end of a sentence: write one sentence a line (CR alone is not a line end: convert "
               "it with tr '\\r' '\\n')")
    elif words < 1.5 * (lines - blank):
        sizes = f"{counted(words, 'word')}, {counted(lines - blank, 'line')}"
        yield (f"most lines of the training text hold one word ({sizes}): write one sentence a line with blanks "
               "between words, or train on characters with --level char")


def _little_to_predict(counts, words, vocabulary, can_grow):
    gone = sum(counts[word] for word in counts.keys() - vocabulary.ids.keys())
    if gone > MANY_GONE * words:
        remedy = ("give more text, a lower --min-count or a higher --max-vocab, or train on characters with --level "
                  "char" if can_grow else "add them with --extend-vocab")
        yield (f"{100 * gone / words:.0f} % of the training text's words became {UNK}, which is easy to predict: "
               f"{remedy}")
    if (size := len(vocabulary)) < TINY:
        yield (f"the vocabulary has only {size} entries, so guessing gives a perplexity of {size}: check that blanks "
               "separate the words, and give more text")


def _carriage_returns(count, lines):
    if count > lines:
        yield (f"the training text has {counted(count, 'CR character')} and {counted(lines, 'line end')}: CR "
               "alone is not a line end: convert it with tr '\\r' '\\n'")
