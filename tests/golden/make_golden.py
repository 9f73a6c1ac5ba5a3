"""Golden numbers from PyTorch's modules and automatic differentiation, in float64.

    pip install torch
    python tests/golden/make_golden.py

writes golden.json next to this file.  Nothing of rnnlm is imported here.
"""

import json
from pathlib import Path

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def lists(**tensors):
    return {name: tensor.detach().tolist() for name, tensor in tensors.items()}


def worked_case():
    """The worked numbers: a window of three steps, and gradients of a smooth loss."""
    x = torch.tensor([[[1, 2], [2, 3], [3, 4]]]) / 100
    Wx = torch.tensor([[1, 3, 5, 7], [3, 5, 7, 8]]) / 100
    Wh = torch.tensor([[1, 3, 5, 7], [2, 4, 6, 8], [3, 5, 7, 8], [4, 6, 8, 10]]) / 100
    b, h0 = torch.ones(4), torch.zeros(1, 4)
    return {"inputs": lists(x=x, Wx=Wx, Wh=Wh, b=b, h0=h0), **recurrence(x, Wx, Wh, b, h0)}


def random_case(N, T, D, H):
    """The same for a batch with a state that comes in."""
    x, Wx, Wh, b, h0 = (torch.randn(*shape) / 2 for shape in ((N, T, D), (D, H), (H, H), (H,), (N, H)))
    return {"inputs": lists(x=x, Wx=Wx, Wh=Wh, b=b, h0=h0), **recurrence(x, Wx, Wh, b, h0)}


def recurrence(x, Wx, Wh, b, h0):
    """States by torch.nn.RNN, gradients of loss = sum(weights * hs + hs^2 / 2).

    So dhs = weights + hs.
    """
    rnn = nn.RNN(Wx.shape[0], Wx.shape[1], batch_first=True)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(Wx.T)
        rnn.weight_hh_l0.copy_(Wh.T)
        rnn.bias_ih_l0.copy_(b)
        rnn.bias_hh_l0.zero_()
    x, h0 = x.clone().requires_grad_(), h0.clone().requires_grad_()
    hs, _ = rnn(x, h0[None])
    weights = torch.linspace(-1, 1, hs.numel()).view_as(hs)
    (weights * hs + hs**2 / 2).sum().backward()
    return {"weights": weights.tolist(), "hs": hs.tolist(), "grads": lists(
        dWx=rnn.weight_ih_l0.grad.T, dWh=rnn.weight_hh_l0.grad.T, db=rnn.bias_ih_l0.grad, dx=x.grad, dh0=h0.grad)}


def cell_case(cell, k, j=None, N=3, T=5, D=4, H=6):
    """The same for another cell of k blocks in Wx and j (by default k) in Wh.

    cell: function of x, Wx, Wh, b (and bh), h0 (and c0), to hs (and the last c).
    """
    shapes = {"x": (N, T, D), "Wx": (D, k * H), "Wh": (H, (j or k) * H), "b": (k * H,)}
    shapes |= ({"bh": (H,)} if cell is gru else {}) | {"h0": (N, H)}
    if cell is lstm:
        shapes["c0"] = (N, H)
    inputs = {name: torch.randn(*shape) / 2 for name, shape in shapes.items()}
    if cell is diagonal_textbook_gru:
        inputs["Wh"][:, 2 * H :] *= torch.eye(H)
    inputs = {name: tensor.requires_grad_() for name, tensor in inputs.items()}
    hs, *last = cell(*inputs.values())
    weights = torch.linspace(-1, 1, hs.numel()).view_as(hs)
    (weights * hs + hs**2 / 2).sum().backward()
    return {"inputs": lists(**inputs), "weights": weights.tolist(), "hs": hs.tolist(),
            "last": [state.tolist() for state in (hs[:, -1], *last)],
            "grads": lists(**{f"d{name}": tensor.grad for name, tensor in inputs.items()})}


def tanh(x, Wx, Wh, b, h0, function=torch.rnn_tanh):
    """torch.rnn_tanh, which torch.nn.RNN calls."""
    hs, _ = function(x, h0[None], [Wx.T, Wh.T, b, torch.zeros_like(b)], True, 1, 0.0, True, False, True)
    return [hs]


def relu(x, Wx, Wh, b, h0):
    """The same by torch.rnn_relu."""
    return tanh(x, Wx, Wh, b, h0, torch.rnn_relu)


def mrnn(x, Wx, Wh, b, h0, function=torch.tanh):
    """With the factors as diagonal matrices.

    h = tanh(x Wx_a + b_a + h Wh diag(1 + x Wx_m + b_m)).
    """
    (Wxa, Wxm), (ba, bm) = (tensor.chunk(2, dim=-1) for tensor in (Wx, b))
    h, hs = h0, []
    for t in range(x.shape[1]):
        by_stream = [Wh @ torch.diag(1 + row @ Wxm + bm) for row in x[:, t]]
        past = torch.stack([state @ W for state, W in zip(h, by_stream, strict=True)])
        h = function(x[:, t] @ Wxa + ba + past)
        hs.append(h)
    return [torch.stack(hs, dim=1)]


def relu_mrnn(x, Wx, Wh, b, h0):
    """The same with ReLU for tanh."""
    return mrnn(x, Wx, Wh, b, h0, torch.relu)


def lstm(x, Wx, Wh, b, h0, c0):
    """torch.lstm, as in torch.nn.LSTM: its gates are i, f, g, o; rnnlm's f, g, i, o."""
    f, g, i, o = range(4)

    def theirs(tensor):
        blocks = tensor.chunk(4, dim=-1)
        return torch.cat([blocks[gate] for gate in (i, f, g, o)], dim=-1)

    weights = [theirs(Wx).T, theirs(Wh).T, theirs(b), torch.zeros_like(b)]
    hs, _, c = torch.lstm(x, (h0[None], c0[None]), weights, True, 1, 0.0, True, False, True)
    return hs, c[0]


def textbook_gru(x, Wx, Wh, b, h0):
    """Cho et al. (2014): resets before the product, torch.nn.GRU after it."""
    (Wxz, Wxr, Wxh), (Whz, Whr, Whh), (bz, br, bh) = (tensor.chunk(3, dim=-1) for tensor in (Wx, Wh, b))
    h, hs = h0, []
    for t in range(x.shape[1]):
        z = torch.sigmoid(x[:, t] @ Wxz + h @ Whz + bz)
        r = torch.sigmoid(x[:, t] @ Wxr + h @ Whr + br)
        proposal = torch.tanh(x[:, t] @ Wxh + (r * h) @ Whh + bh)
        h = (1 - z) * h + z * proposal
        hs.append(h)
    return [torch.stack(hs, dim=1)]


def gru(x, Wx, Wh, b, bh, h0):
    """torch.gru, as in torch.nn.GRU: its gates are r, z, n; rnnlm's are z, r, n."""
    def theirs(tensor):
        z, r, n = tensor.chunk(3, dim=-1)
        return torch.cat([r, z, n], dim=-1)

    weights = [theirs(Wx).T, theirs(Wh).T, theirs(b), torch.cat([torch.zeros_like(bh)] * 2 + [bh])]
    hs, _ = torch.gru(x, h0[None], weights, True, 1, 0.0, True, False, True)
    return [hs]


def diagonal_textbook_gru(x, Wx, Wh, b, h0):
    """torch.gru, as in torch.nn.GRU, in the textbook's form.

    Its gates are r, z, n and h = (1 - z) n + z h_prev, so its 1 - z is the textbook's
    z.  Where the last block of Wh is diagonal, it is the same to reset before and after
    the product.
    """
    def theirs(tensor):
        z, r, n = tensor.chunk(3, dim=-1)
        return torch.cat([r, -z, n], dim=-1)

    weights = [theirs(Wx).T, theirs(Wh).T, theirs(b), torch.zeros_like(b)]
    hs, _ = torch.gru(x, h0[None], weights, True, 1, 0.0, True, False, True)
    return [hs]


def language_model(V, D, H, N, T):
    """Loss and gradients of a language model of two layers, over two windows.

    One target is masked.  The state is carried over the border, the gradient is cut
    there.
    """
    embedding, rnn, affine = nn.Embedding(V, D), nn.RNN(D, H, num_layers=2, batch_first=True), nn.Linear(H, V)
    for p in [*embedding.parameters(), *rnn.parameters(), *affine.parameters()]:
        nn.init.uniform_(p, -0.7, 0.7)
    nn.init.zeros_(rnn.bias_hh_l0)
    nn.init.zeros_(rnn.bias_hh_l1)
    ids = torch.randint(0, V, (N, 2 * T + 1))
    xs, ts = ids[:, :-1], ids[:, 1:].clone()
    ts[0, T] = -1
    with torch.no_grad():
        _, state = rnn(embedding(xs[:, :T]))
    hs, _ = rnn(embedding(xs[:, T:]), state)
    loss = nn.functional.cross_entropy(affine(hs).flatten(0, 1), ts[:, T:].flatten(), ignore_index=-1)
    loss.backward()
    named = {"embedding/W": embedding.weight, "affine/W": affine.weight, "affine/b": affine.bias}
    for i in (0, 1):
        named |= {f"{i + 1}/Wx": getattr(rnn, f"weight_ih_l{i}"), f"{i + 1}/Wh": getattr(rnn, f"weight_hh_l{i}"),
                  f"{i + 1}/b": getattr(rnn, f"bias_ih_l{i}")}

    def ours(name, tensor):  # torch keeps (out, in), rnnlm (in, out)
        return tensor.T if name.endswith(("Wx", "Wh")) or name == "affine/W" else tensor

    return {"sizes": [V, D, H], "T": T, "xs": xs.tolist(), "ts": ts.tolist(), "loss": loss.item(),
            "params": lists(**{name: ours(name, p) for name, p in named.items()}),
            "grads": lists(**{name: ours(name, p.grad) for name, p in named.items()})}


def tied_language_model(cell, k, j=None, V=7, D=3, H=4, N=2, T=3):
    """The same for two layers of a cell, with the word vectors as output weights.

    cell: see ``cell_case``.  Where the output has another size than the word vectors,
    it is projected to theirs.
    """
    shapes = {"embedding/W": (V, D)}
    for i, size in ((1, D), (2, H)):
        shapes |= {f"{i}/Wx": (size, k * H), f"{i}/Wh": (H, (j or k) * H), f"{i}/b": (k * H,)}
        shapes |= {f"{i}/bh": (H,)} if cell is gru else {}
    shapes |= {"projection/W": (H, D), "projection/b": (D,)} if D != H else {}
    shapes |= {"affine/b": (V,)}
    params = {name: 0.7 * torch.randn(*shape) for name, shape in shapes.items()}
    if cell in (relu, relu_mrnn):  # or most units never leave 0, and most gradients are 0
        more = 1.0 if cell is relu_mrnn else 0.0
        params |= {name: param.abs() + more for name, param in params.items() if name[0].isdigit() and name[-1] == "b"}
    params = {name: param.requires_grad_() for name, param in params.items()}
    ids = torch.randint(0, V, (N, 2 * T + 1))
    xs, ts = ids[:, :-1], ids[:, 1:].clone()
    ts[1, 2 * T - 1] = -1
    states = [[torch.zeros(N, H)] * (2 if cell is lstm else 1) for _ in range(2)]
    for window in (xs[:, :T], xs[:, T:]):
        hs = params["embedding/W"][window]
        for i, state in enumerate(states, 1):
            arrays = [params[f"{i}/{name}"] for name in ("Wx", "Wh", "b", "bh") if f"{i}/{name}" in params]
            hs, *last = cell(hs, *arrays, *state)
            states[i - 1] = [array.detach() for array in (hs[:, -1], *last)]
    if D != H:
        hs = hs @ params["projection/W"] + params["projection/b"]
    scores = hs @ params["embedding/W"].T + params["affine/b"]
    loss = nn.functional.cross_entropy(scores.flatten(0, 1), ts[:, T:].flatten(), ignore_index=-1)
    loss.backward()
    return {"sizes": [V, D, H], "T": T, "xs": xs.tolist(), "ts": ts.tolist(), "loss": loss.item(),
            "params": lists(**params), "grads": lists(**{name: p.grad for name, p in params.items()})}


def optimizer_steps():
    """Three steps of each rule on two arrays with given gradients."""
    starts = [torch.randn(3, 2), torch.randn(2)]
    grads = [[torch.randn_like(p) for p in starts] for _ in range(3)]
    rules = {"sgd": lambda ps: torch.optim.SGD(ps, lr=0.1),
             "momentum": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9),
             "adam": lambda ps: torch.optim.Adam(ps, lr=0.1),
             "adagrad": lambda ps: torch.optim.Adagrad(ps, lr=0.1),
             "rmsprop": lambda ps: torch.optim.RMSprop(ps, lr=0.1),
             "adamw": lambda ps: torch.optim.AdamW(ps, lr=0.1)}
    ends = {}
    for name, rule in rules.items():
        params = [p.clone().requires_grad_() for p in starts]
        optimizer = rule(params)
        for step in grads:
            for p, g in zip(params, step, strict=True):
                p.grad = g.clone()
            optimizer.step()
        ends[name] = [p.tolist() for p in params]
    return {"lr": 0.1, "params": [p.tolist() for p in starts], "grads": [[g.tolist() for g in step] for step in grads],
            "ends": ends}


def adaptive_softmax(D=16, V=12, cutoffs=(4, 7), N=3, T=4):
    """Loss, gradients and every ln p of torch.nn.AdaptiveLogSoftmaxWithLoss.

    Its clusters are in the head in the order of rnnlm's.  It knows no masked targets:
    those of the mean are taken out first.
    """
    layer = nn.AdaptiveLogSoftmaxWithLoss(D, V, list(cutoffs), div_value=4.0, head_bias=True)
    for p in layer.parameters():
        nn.init.uniform_(p, -1, 1)
    xs, ts = torch.randn(N, T, D).requires_grad_(), torch.randint(0, V, (N, T))
    ts[0, 1] = -1
    counts = ts != -1
    loss = layer(xs[counts], ts[counts]).loss
    loss.backward()
    weights = [layer.head.weight, layer.head.bias]
    for projection, words in layer.tail:
        weights += [projection.weight, words.weight]
    params, grads = ([tensor.T.tolist() for tensor in tensors]  # torch keeps (out, in), rnnlm (in, out)
                     for tensors in (weights, [p.grad for p in weights]))
    return {"inputs": lists(xs=xs, ts=ts), "params": params, "loss": loss.item(), "dxs": xs.grad.tolist(),
            "grads": grads, "log_probs": layer.log_prob(xs.flatten(0, 1)).tolist()}


if __name__ == "__main__":
    torch.manual_seed(0)
    golden = {"torch": torch.__version__, "worked": worked_case(), "random": random_case(3, 5, 4, 6),
              "language_model": language_model(V=7, D=3, H=4, N=2, T=3), "optimizers": optimizer_steps(),
              "relu": cell_case(relu, 1), "lstm": cell_case(lstm, 4), "gru-textbook": cell_case(textbook_gru, 3),
              "diagonal_textbook_gru": cell_case(diagonal_textbook_gru, 3), "mrnn": cell_case(mrnn, 2, 1)}
    blocks = {"tanh": (tanh, 1), "relu": (relu, 1), "mrnn": (mrnn, 2, 1), "lstm": (lstm, 4),
              "gru-textbook": (textbook_gru, 3)}
    golden["tied_language_models"] = {name: tied_language_model(*cell) for name, cell in blocks.items()}
    golden["relu mrnn"] = cell_case(relu_mrnn, 2, 1)
    golden["tied_language_models"]["relu mrnn"] = tied_language_model(relu_mrnn, 2, 1)
    golden["tied_language_models"]["lstm, D = H"] = tied_language_model(lstm, 4, D=4)
    golden["gru"] = cell_case(gru, 3)
    golden["tied_language_models"]["gru"] = tied_language_model(gru, 3)
    golden["tied_language_models"]["gru, D = H"] = tied_language_model(gru, 3, D=4)
    golden["adaptive"] = adaptive_softmax()
    path = Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden) + "\n", encoding="utf-8")
    print(f"wrote {path.name}: {path.stat().st_size} bytes")
