import pytest

from rnnlm.text.punctuation import split_punctuation

PTB = {"he", "does", "n't", "'s", "'", "mr.", "u.s.", "ill", "ill.", "the", "cats", "hat", "o'brien", "$", "ca", "wo"}
WIKI = {"He", "does", "n't", "'s", ".", ",", "(", ")", "hat", "?"}


@pytest.mark.parametrize(("known", "line", "words"), [
    (PTB, "he does n't", "he does n't"),
    (PTB, "he doesn't.", "he does n't"),
    (PTB, "he can't, he won't!", "he ca n't he wo n't"),
    (PTB, "mr. o'brien's hat", "mr. o'brien 's hat"),
    (PTB, "the cats' hat?", "the cats ' hat"),
    (PTB, "(mr. he)", "mr. he"),
    (PTB, "he ill. the u.s.", "he ill. the u.s."),  # a word that is known stays whole
    (PTB, "the u.s. ill.", "the u.s. ill"),         # but the last one loses its full stop, if that is known, too
    (PTB, "he 's", "he 's"),
    (PTB, "zebra's zebra.", "zebra 's zebra"),
    (PTB, "3.5 ... hat", "3.5 hat"),                # a mark within a word is no mark
    (PTB, "...", ""),
    (PTB, "", ""),
    (WIKI, "He doesn't, (Sara's) hat?", "He does n't , ( Sara 's ) hat ?"),
    (WIKI, "hat.", "hat ."),
    (set(), "n't", "n't"),
    (set(), "don'T", "do n'T"),
])
def test_words_and_their_marks(known, line, words):
    assert split_punctuation([*line.split(), "\n"], known) == [*words.split(), "\n"]


def test_only_a_sentence_has_a_last_word():
    words = ["the", "ill.", "\n", "the", "ill.", "\n"]
    assert split_punctuation(words, PTB) == ["the", "ill", "\n", "the", "ill", "\n"]
    assert split_punctuation(words, PTB, sentences=False) == words
