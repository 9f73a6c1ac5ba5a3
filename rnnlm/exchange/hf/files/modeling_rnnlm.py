"""A recurrent language model that was trained by rnnlm, for Hugging Face transformers.

``AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)`` opens it.
This file needs PyTorch and transformers alone.

Each text is read from a fresh state.  Steps that are no words, such as padding on
either side, leave the state as it is.  ``generate`` keeps no state from word to word:
it reads the text anew for each.  Whoever reads a long text in parts hands ``states``
on: ``model(ids, states=before.states)``.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional
from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput


class RnnlmConfig(PretrainedConfig):
    """What a model is made from; its values are in ``config.json``.

    Parameters
    ----------
    cell : "rnn", "lstm", "gru" (as PyTorch's), "gru-textbook" (which resets before the
        product) or "mrnn" (multiplicative).
    activation : "tanh" or "relu", for "rnn" and "mrnn".
    vocab_size : V, how many ids there are.
    trained_vocab_size : how many of them the model was trained on.  The later ones are
        the tokenizer's own: their probability is 0, and they leave the state as it is.
    wordvec_size, hidden_size : D and H.
    num_hidden_layers : of recurrent layers.
    projection : whether a linear layer from H to D comes before the output.
    """

    model_type = "rnnlm"

    def __init__(self, cell="lstm", activation="tanh", vocab_size=2, trained_vocab_size=None, wordvec_size=1,
                 hidden_size=1, num_hidden_layers=1, projection=False, **others):
        self.cell, self.activation = cell, activation
        self.vocab_size = vocab_size
        self.trained_vocab_size = vocab_size if trained_vocab_size is None else trained_vocab_size
        self.wordvec_size, self.hidden_size = wordvec_size, hidden_size
        self.num_hidden_layers, self.projection = num_hidden_layers, projection
        super().__init__(**others)


@dataclass
class RnnlmOutput(ModelOutput):
    """What the model says of a text.

    Parameters
    ----------
    loss : the mean of -ln p of the labels, nats; None without labels.
    logits : (N, T, V), of the word after each step.
    states : h, or (h, c) of LSTMs, after the last step: (layers, N, H) each.  None if
        some steps were no words.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    states: Any = None


class RnnlmForCausalLM(PreTrainedModel, GenerationMixin):
    """Embedding, recurrent layers, perhaps a projection, and a score for every word."""

    config_class = RnnlmConfig
    _tied_weights_keys: ClassVar = {"decoder.weight": "encoder.weight"}  # where config.tie_word_embeddings says so

    def __init__(self, config):
        super().__init__(config)
        V, D, H = config.vocab_size, config.wordvec_size, config.hidden_size
        self.encoder = nn.Embedding(V, D)
        self.rnn = recurrent_layers(config, D, H)
        self.projection = nn.Linear(H, D) if config.projection else nn.Identity()
        self.decoder = nn.Linear(D if config.projection else H, V)
        self.post_init()

    def get_input_embeddings(self):
        return self.encoder

    def set_input_embeddings(self, value):
        self.encoder = value

    def get_output_embeddings(self):
        return self.decoder

    def set_output_embeddings(self, new_embeddings):
        self.decoder = new_embeddings

    def forward(self, input_ids, attention_mask=None, labels=None, states=None, logits_to_keep=0, **others):
        """Read ids (N, T), each row from ``states`` or from a fresh state."""
        is_word = input_ids < self.config.trained_vocab_size
        if attention_mask is not None:
            is_word = is_word & attention_mask[:, -input_ids.shape[1] :].bool()
        hs, states = self.read(self.encoder(input_ids), is_word, states)
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.decoder(self.projection(hs[:, kept]))
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **others)
        return RnnlmOutput(loss=loss, logits=logits, states=states)

    def read(self, xs, is_word, states):  # (N, T, D), (N, T) -> (N, T, H)
        """The state after each step, and all that is carried on after the last one.

        The words of each row are moved to its start and read; a step that is no word
        has the state of the word before it.
        """
        if is_word.all():
            return self.rnn(xs, states)
        words_first = is_word.int().argsort(dim=1, descending=True, stable=True)
        hs, _ = self.rnn(steps(xs, words_first), states)
        words_so_far = is_word.cumsum(1)
        hs = steps(hs, (words_so_far - 1).clamp(min=0))
        return hs.masked_fill(words_so_far[..., None] == 0, 0), None

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, logits_to_keep=0, **others):
        """The whole text so far, whatever ``use_cache`` says."""
        return {"input_ids": input_ids, "attention_mask": attention_mask, "logits_to_keep": logits_to_keep or 0}

    @classmethod
    def _supports_default_dynamic_cache(cls):
        return False


def steps(values, numbers):  # (N, T, D), (N, T) -> (N, T, D)
    """In row i and step t the values of row i and step numbers[i, t]."""
    return values.gather(1, numbers[..., None].expand(-1, -1, values.shape[2]))


def recurrent_layers(config, D, H):
    """The recurrent layers; called with (N, T, D) and states or None."""
    layers = config.num_hidden_layers
    if config.cell == "lstm":
        return nn.LSTM(D, H, layers, batch_first=True)
    if config.cell == "gru":
        return nn.GRU(D, H, layers, batch_first=True)
    if config.cell == "rnn":
        return nn.RNN(D, H, layers, nonlinearity=config.activation, batch_first=True)
    if config.cell == "gru-textbook":
        return TextbookGRU(D, H, layers)
    if config.cell == "mrnn":
        return MRNN(D, H, layers, config.activation)
    raise ValueError(f"cell must be rnn, lstm, gru, gru-textbook or mrnn, got {config.cell!r}")


class Loop(nn.Module):
    """Recurrent layers that PyTorch lacks, step by step.

    Its parameters are named as those of nn.RNN; there is one bias, ``bias_ih_l0``.
    """

    input_blocks = state_blocks = 1  # how many times H rows the weights have

    def __init__(self, D, H, layers):
        super().__init__()
        self.layers, self.hidden_size = layers, H
        for k in range(layers):
            for name, shape in ((f"weight_ih_l{k}", (self.input_blocks * H, H if k else D)),
                                (f"weight_hh_l{k}", (self.state_blocks * H, H)),
                                (f"bias_ih_l{k}", (self.input_blocks * H,))):
                setattr(self, name, nn.Parameter(torch.empty(shape)))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(H**-0.5), H**-0.5)

    def forward(self, xs, states=None):  # (N, T, D), (layers, N, H) -> (N, T, H), (layers, N, H)
        if states is None:
            states = xs.new_zeros(self.layers, len(xs), self.hidden_size)
        last = []
        for k, h in enumerate(states):
            W, b = getattr(self, f"weight_ih_l{k}"), getattr(self, f"bias_ih_l{k}")
            hs = []
            for a in functional.linear(xs, W, b).unbind(1):
                h = self.step(a, h, getattr(self, f"weight_hh_l{k}"))
                hs.append(h)
            xs = torch.stack(hs, 1)
            last.append(h)
        return xs, torch.stack(last)


class TextbookGRU(Loop):
    """The GRU that resets its state before the product; rows in the order z, r, new."""

    input_blocks = state_blocks = 3

    def step(self, a, h, W):  # (N, 3H), (N, H), (3H, H) -> (N, H)
        """z, r = sigmoid(...), new = tanh(a + (r h) W), h + z (new - h)."""
        H = self.hidden_size
        z, r = torch.sigmoid(a[:, : 2 * H] + functional.linear(h, W[: 2 * H])).chunk(2, 1)
        new = torch.tanh(a[:, 2 * H :] + functional.linear(r * h, W[2 * H :]))
        return h + z * (new - h)


class MRNN(Loop):
    """The multiplicative RNN; rows of the input's weights in the order a, m."""

    input_blocks = 2

    def __init__(self, D, H, layers, activation):
        super().__init__(D, H, layers)
        self.activation = {"tanh": torch.tanh, "relu": torch.relu}[activation]

    def step(self, a, h, W):  # (N, 2H), (N, H), (H, H) -> (N, H)
        """h = tanh(a + (1 + m) (h W))."""
        a, m = a.chunk(2, 1)
        return self.activation(a + (1 + m) * functional.linear(h, W))
