"""The options of a training run: a table of records, the most used first in each group.

Whoever adds an option adds a record (see Option) here, or in run_options.py if it is
about the run folder and how the run goes.  The parser, the help, TOML keys, the page of
options, what is saved and what may change on resume follow from it.
"""

from rnnlm.models import CELLS, MOST_LAYERS, RNN_ACTIVATIONS, SOFTMAXES, UNGATED
from rnnlm.models.initializers import RECURRENT
from rnnlm.runs.checks import (
    Names,
    OneOf,
    WholeNumbers,
    above_one,
    at_least,
    below_one,
    between,
    file_path,
    from_zero_to_one,
    gain,
    not_empty,
    not_negative,
    positive,
    ratio,
    seed,
    shares,
    size,
)
from rnnlm.runs.later_epochs import LATER_EPOCHS, MINUTES
from rnnlm.runs.option import OF_THE_COMMAND, OF_THE_RUN, SWITCH, Option
from rnnlm.runs.rule_options import CONSTANTS, in_words
from rnnlm.runs.run_options import run_options
from rnnlm.runs.seed_list import SeedList
from rnnlm.runs.table import Table
from rnnlm.text.choose_tokenizer import ALL_LEVELS, LEARNED
from rnnlm.text.documents import DOCUMENTS, LINES, NOTHING, UNITS
from rnnlm.text.split import ORDERED, ORDERS, RANDOM, USUAL_SHARES
from rnnlm.text.subwords.byte_level import LARGEST_SIZE, LEAST_SIZE, USUAL_SIZE
from rnnlm.text.tokenizer import USUAL_MIN_COUNT
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.schedules import SCHEDULES

AVERAGE_DECAY = 0.999
WITHOUT_GATES = " and ".join(UNGATED)
EPOCHS_FIXED = "a linear or cosine schedule, a tail average, a --dropout-start or --later-epochs"


def drops_values(o):
    """Whether anything is dropped from word vectors or states."""
    return any((o.input_dropout, o.dropout if o.layers > 1 else 0, o.output_dropout))


def _begins_anew(o):
    """Whether the first weights are drawn, not those of a model."""
    return o.init_from is None


NEW_MODEL = "a new model, without --init-from"
NEW_WORDS = "words or characters, and without --init-from or with --extend-vocab"


def _adds_words(o):
    """Whether the vocabulary depends on the training text."""
    return o.level not in LEARNED and (_begins_anew(o) or o.extend_vocab)


TEXT = (
    Option("corpus", not_empty, "a known name such as stories or ptb, a folder with train, valid and test texts, or "
           "one text, which is split: a file, several, a folder of files, or - for standard input", "stories",
           "NAME|FOLDER|FILE", may_change=True, many=True, meant_by="data dataset input text train train-file"),
    Option("split", OneOf(ORDERS), "how one text becomes three: in order, or drawn at random", ORDERED,
           meant_by="split-order"),
    Option("split_by", OneOf((LINES, DOCUMENTS)), "what a split leaves whole: lines, or documents, which blank lines "
           "and the ends of files separate", LINES, meant_by="documents split-unit"),
    Option("split_shares", shares, "shares of the training, the validation and the test text", USUAL_SHARES, "A/B/C",
           meant_by="shares split-ratio split-sizes"),
    Option("split_seed", seed, "seed of a random split; --seed does not change the three texts", 1, "S",
           acts=lambda o: o.split == RANDOM, acts_with="--split random"),
    Option("save_splits", not_empty, "write the three texts into a new folder, as train.txt, valid.txt and test.txt",
           metavar="FOLDER", scope=OF_THE_COMMAND, meant_by="save-split splits"),
    Option("level", OneOf(ALL_LEVELS), "unit of the text: words, characters, or subwords, which are parts of words",
           "word"),
    Option("vocab_size", between(LEAST_SIZE, LARGEST_SIZE), "size of the vocabulary of subwords, which are learned "
           "from the training text", USUAL_SIZE, "K", acts_with="--level subword, without --tokenizer and --init-from",
           acts=lambda o: o.level in LEARNED and o.tokenizer is None and _begins_anew(o),
           meant_by="bpe-size num-merges subwords"),
    Option("tokenizer", file_path, "file with the subwords to use instead of learning them: tokenizer.json (byte-level "
           "BPE) or bpe.model (sentencepiece)", metavar="FILE", default_text="learned from the training text",
           acts=lambda o: o.level in LEARNED and _begins_anew(o), acts_with=f"--level subword and {NEW_MODEL}",
           may_change=True,
           meant_by="bpe-model sentencepiece tokenizer-file"),
    Option("lowercase", SWITCH, "turn capitals into small letters, with --level word", False,
           acts=lambda o: o.level == "word" or not o.lowercase, acts_with="--level word", meant_by="lower uncased"),
    Option("split_punctuation", SWITCH, "split punctuation and endings such as 's from English words (Moses rules), "
           "with --level word", False, acts=lambda o: o.level == "word" or not o.split_punctuation,
           acts_with="--level word", meant_by="punctuation tokenize"),
    Option("max_vocab", at_least(3), "largest size of the vocabulary", metavar="K", default_text="no limit",
           meant_by="max-vocab-size vocab", acts=_adds_words, acts_with=NEW_WORDS),
    Option("min_count", at_least(1), "training words seen fewer than K times become <unk>", metavar="K",
           acts=_adds_words, acts_with=NEW_WORDS,
           default_text=f"{USUAL_MIN_COUNT}; 1 for characters and for a text that already contains <unk>",
           meant_by="min-freq min-frequency"),
    Option("max_tokens", at_least(1), "train on the first K tokens only", metavar="K", default_text="all"),
)

MODEL = (
    Option("init_from", not_empty, "begin with the weights, the vocabulary and the sizes of a trained model", None,
           "MODEL", meant_by="finetune finetune-from from-model init init-model load-model model-file pretrained "
           "restore-from start-from warm-start"),
    Option("extend_vocab", SWITCH, "add the training words that the vocabulary of the --init-from model lacks", False,
           acts=lambda o: not o.extend_vocab or not (_begins_anew(o) or o.level in LEARNED),
           acts_with="--init-from, and a model of words or characters",
           meant_by="extend-vocabulary add-words"),
    Option("cell", OneOf(CELLS), "; ".join([
        "kind of recurrent layer", *(f"{name}: {cell.help}" for name, cell in CELLS.items() if cell.help)]),
           "rnn", meant_by="model model-type rnn-type"),
    Option("hidden_size", size, "size of the hidden state", 200, "H", aliases="nhid",
           meant_by="hidden-dim hidden-units n-hidden num-hidden rnn-size size"),
    Option("layers", between(1, MOST_LAYERS), "number of recurrent layers", 1, "L", aliases="num-layers",
           meant_by="n-layers nlayers depth"),
    Option("wordvec_size", size, "size of the word vectors", metavar="D", follows="hidden_size",
           derived=lambda o: o.hidden_size, default_text="the hidden size", aliases="emb-size",
           meant_by="emb-dim embed-dim embed-size embedding-dim embedding-size emsize"),
    Option("tied", SWITCH, "use the word vectors as output weights", False, meant_by="tie tie-weights weight-tying"),
    Option("projection", SWITCH, "add a linear layer before the output, from the hidden size to the size of the word "
           "vectors (--tied adds it where the two sizes differ)", False),
    Option("softmax", OneOf(SOFTMAXES), "how the output scores the words: all of them at every step, or first the "
           "frequent ones and clusters of the others, which is faster for a large vocabulary", "full",
           meant_by="adaptive-softmax"),
    Option("cutoffs", WholeNumbers(1), "with --softmax adaptive: the ranks, by frequency, at which the clusters of "
           "less frequent words begin", metavar="C1,C2,...", default_text="chosen from the words' counts",
           acts=lambda o: o.softmax == "adaptive", acts_with="--softmax adaptive"),
    Option("activation", OneOf(RNN_ACTIVATIONS), f"activation of the cells {WITHOUT_GATES}", "tanh"),
    Option("output_start", OneOf(("zeros", "frequencies")), "initial output biases: zeros, or the logarithms of the "
           "word frequencies", "zeros", acts=_begins_anew, acts_with=NEW_MODEL),
    Option("input_gain", gain, "factor on the initial input weights of the first layer", 1.0, "G", acts=_begins_anew,
           acts_with=NEW_MODEL),
    Option("recurrent_start", OneOf(("time-scales", *RECURRENT)), "initial recurrent weights",
           default_text=f"time-scales for {WITHOUT_GATES}, orthogonal for the others", acts=_begins_anew,
           acts_with=NEW_MODEL),
    Option("recurrent_gain", gain, "factor on the initial recurrent weights (with --recurrent-start time-scales: on "
           "their random part only)", 1.0, "G", acts=_begins_anew, acts_with=NEW_MODEL),
    Option("slowest", below_one, "share of its state that the slowest unit keeps at each step, with --recurrent-start "
           f"time-scales of the cells {WITHOUT_GATES}", 0.95, "SHARE",
           acts=lambda o: _begins_anew(o) and o.cell in UNGATED and o.recurrent_start in (None, "time-scales"),
           acts_with=f"--recurrent-start time-scales of the cells {WITHOUT_GATES}"),
)

TRAINING = (
    Option("epochs", at_least(1), f"largest number of passes over the text; a resumed run keeps it with {EPOCHS_FIXED}",
           40, "E", may_change=True,
           fixed_where=lambda o: (o.get("average") == "tail" or o.get("dropout_start", 1.0) != 1
                                  or getattr(SCHEDULES.get(str(o.get("schedule"))), "needs_epochs", False)
                                  or o.get("later_epochs") is not None),
           fixed_with=EPOCHS_FIXED,
           meant_by="iterations iters max-epoch max-epochs n-epochs num-epochs"),
    MINUTES,
    LATER_EPOCHS,
    Option("batch_size", size, "number of streams into which the text is cut, and which are read in parallel", 20, "N",
           meant_by="bs batch"),
    Option("time_size", size, "length of a window: the number of steps that the gradient flows back", 35, "T",
           aliases="bptt seq-len", meant_by="bptt-steps seq-length seqlen sequence-length window"),
    Option("optimizer", OneOf(OPTIMIZERS), "update rule", "adam", meant_by="opt update"),
    Option("lr", positive, "learning rate", metavar="LR", follows="optimizer", aliases="learning-rate",
           derived=lambda o: OPTIMIZERS[o.optimizer].default_lr, meant_by="rate",
           default_text=in_words("default_lr")),
    Option("max_grad", not_negative, "clip the gradient to this global norm; 0: do not clip", 0.25, "NORM",
           aliases="clip", meant_by="clip-grad clip-norm clipping grad-clip gradient-clip gradient-clipping "
           "max-grad-norm max-norm"),
    Option("seed", seed, "seed of all random numbers", 1, "S", meant_by="random-seed rng"),
    Option("seeds", SeedList(), "train once with each of these seeds, in a folder for each inside the run folder, and "
           "give the mean and the standard deviation; numbers and ranges of them, such as 1-5 or 1,2,7-9",
           metavar="S,S-S,...", scope=OF_THE_COMMAND, excludes="seed", meant_by="n-seeds num-seeds repeat runs"),
    Option("schedule", OneOf(SCHEDULES), "learning rate over time: divided when validation stalls, constant, or "
           "falling to 0 over all epochs in a straight line or along a cosine", "plateau"),
    Option("patience", at_least(1), "stop after K epochs in a row in which validation stalls, with --schedule plateau "
           "or constant, without a tail average", 3, "K", may_change=True,
           acts=lambda o: SCHEDULES[o.schedule].stops_early and o.average != "tail",
           acts_with="--schedule plateau or constant, without a tail average", meant_by="early-stopping nonmono"),
    Option("lr_factor", above_one, "divide the learning rate by F after each epoch in which validation stalls, with "
           "--schedule plateau", 2.0, "F", acts=lambda o: o.schedule == "plateau", acts_with="--schedule plateau",
           meant_by="anneal annealing lr-decay"),
    Option("warm_up", at_least(0), "number of steps over which the learning rate first rises", 0, "STEPS"),
    Option("average", OneOf(("none", "tail", "exponential")), "validate and save an average of the weights: over the "
           "last steps, or over all with a weight that decays into the past", "none"),
    Option("average_decay", below_one, "decay rate of the exponential average, which looks back about 1 / (1 - D) "
           "steps", AVERAGE_DECAY, "D", acts=lambda o: o.average == "exponential",
           acts_with="--average exponential"),
    Option("average_from", below_one, "share of all epochs after which the tail average begins", 0.85, "SHARE",
           acts=lambda o: o.average == "tail", acts_with="--average tail"),
    Option("random_start", SWITCH, "begin each epoch at a random position of the text, and continue from its end to "
           "its start", False),
    Option("shuffle", OneOf((NOTHING, *UNITS)), "what each epoch reads in a new random order: nothing, documents "
           "(which blank lines separate), or lines", NOTHING, meant_by="permute shuffled shuffling"),
    Option("random_length", SWITCH, "vary the length of the windows at random", False),
    Option("freeze", Names(), "parts of the model to leave as they are, such as embedding, rnn1, lstm2, projection or "
           "affine, or single parameters, such as rnn1/Wh", metavar="NAME,...",
           meant_by="fixed frozen freeze-layers freeze-embedding"),
    Option("sync_every", at_least(1), "let each process train alone for K steps, then average what they have learnt "
           "(DiLoCo), for several processes in a slow network", metavar="K", default_text="each step is shared",
           meant_by="diloco local-sgd local-steps outer-steps"),
    Option("matrix_lr_factor", positive, "factor on the learning rate of the recurrent layers' matrices and the "
           "projection", 1.0, "F"),
    *CONSTANTS,
)

REGULARISATION = (
    Option("dropout", ratio, "share of the recurrent layers' outputs dropped in training", 0.5, "P",
           meant_by="dropouth"),
    Option("input_dropout", ratio, "share of the word-vector values dropped in training", 0.1, "P",
           meant_by="dropouti"),
    Option("output_dropout", ratio, "share of the last recurrent layer's outputs dropped in training", metavar="P",
           follows="dropout", derived=lambda o: o.dropout, default_text="as --dropout"),
    Option("weight_decay", not_negative, "each step shrinks the weights by the share W times the learning rate, except "
           f"biases and the diagonal of the recurrent weights of {WITHOUT_GATES}", metavar="W", follows="optimizer",
           derived=lambda o: OPTIMIZERS[o.optimizer].weight_decay, default_text=f"0; {in_words('weight_decay')}",
           meant_by="decay wd wdecay"),
    Option("matrix_weight_decay", not_negative, "weight decay of the recurrent layers' matrices and the projection",
           metavar="W", follows="weight_decay", derived=lambda o: o.weight_decay, default_text="as --weight-decay"),
    Option("weight_drop", ratio, "share of the recurrent weights dropped in each window", 0.0, "P", meant_by="wdrop"),
    Option("word_dropout", ratio, "share of the distinct words dropped in each window, wherever they occur", 0.0, "P",
           meant_by="dropoute"),
    Option("dropout_mask", OneOf(("step", "window")), "draw a new dropout mask at every step, or one for each window "
           "(variational dropout)", "step", acts=lambda o: drops_values(o) and o.time_size > 1,
           acts_with="a dropout above 0 and a --time-size above 1"),
    Option("dropout_start", from_zero_to_one, "start the dropouts and the weight drop at X times their values, and "
           "raise them evenly to these values over all --epochs", 1.0, "X", default_text="1, constant",
           acts=lambda o: drops_values(o) or o.word_dropout or o.weight_drop,
           acts_with="a dropout or a weight drop above 0"),
    Option("noising", below_one, "replace training words at random (bigram Kneser-Ney noising); G is the probability "
           "for a word that a different word follows each time, other words are replaced less often", 0.0, "G"),
    Option("activation_penalty", not_negative, "add A times the mean square of the last layer's outputs to the loss",
           0.0, "A"),
    Option("slowness_penalty", not_negative, "add B times the mean square of the step-to-step changes of the last "
           "layer's outputs to the loss", 0.0, "B", acts=lambda o: o.time_size > 1 or not o.slowness_penalty,
           acts_with="a --time-size above 1"),
)


TRAIN = Table({"text": TEXT, "model": MODEL, "training": TRAINING, "regularisation": REGULARISATION,
               "run": run_options((*TEXT, *MODEL, *TRAINING, *REGULARISATION))})


def of_the_run(options):
    """What a checkpoint keeps of the options, a dict.

    "options" has all of the run's as resolved, "given" the names of those that were
    given. The corpus counts as given, even the default one: a run is known by it.
    """
    values = {option.name: getattr(options, option.name) for option in TRAIN.options if option.scope == OF_THE_RUN}
    return {"options": values, "given": [name for name in values if name in options.given or name == "corpus"]}


def free(options):
    """The names of the options that a run with these, a dict, may change on resume."""
    return [option.name for option in TRAIN.options if option.may_change_in(options)]
