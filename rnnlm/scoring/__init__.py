"""What is done with a trained model: scores, evaluation, choices and writing.

Scores of words, from the model upwards:

    predictor    what is needed of a model, as types
    words        scores of one sequence of ids, or of many side by side
    readings     a text read by a protocol: where the model's state is forgotten
    rows         a row for each word or piece, from what was read
    totals       a row for each sentence or text: sums
    score        the choice between these rows: by word, piece, sentence or text
    columns      the columns of a table of rows, with those of the words before
    truth        a table of true surprisals, next to the model's
    evaluation   the perplexity of a text
    following    weights of a mixture that follow the text
    spelling     how unknown words are spelled, for bits per byte

Choices between sentences:

    pairs        which sentence of minimal pairs is more probable
    preferences  accuracies of that by UID, phenomenon and field
    nbest        the best sentence of each n-best list
    nbest_rows   scored lists as lines of text
    tuning       the scale and the word penalty with the fewest word errors

Writing:

    prompts      the prompt and the words to leave out, as ids
    limits       where a text ends
    constraints  what a text may not hold, or should not repeat
    generation   words drawn one at a time: one text
    sampling     a word for each of many texts
    streams      many texts, side by side
    beam         the most probable lines
    writing      all of that from words to words
    written      what was written, as a record
"""
