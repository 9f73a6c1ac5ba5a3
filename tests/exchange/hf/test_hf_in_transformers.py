"""What the real transformers does with a folder.

These tests need it and PyTorch, which no extra brings: pip install torch transformers
accelerate, then pytest -m slow tests/exchange/hf
"""

import numpy as np
import pytest
from hf_folders import FORMS, small_folder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

IDS = np.random.default_rng(3).integers(0, 7, (3, 9))
PAD = 7
IS_FIVE = int(transformers.__version__.split(".")[0]) >= 5
DTYPE = "dtype" if IS_FIVE else "torch_dtype"


@pytest.fixture(autouse=True, scope="module")
def elsewhere(tmp_path_factory):
    """transformers copies the code of a folder into a cache: not into the user's."""
    before = transformers.dynamic_module_utils.HF_MODULES_CACHE
    transformers.dynamic_module_utils.HF_MODULES_CACHE = str(tmp_path_factory.mktemp("modules"))
    torch.set_num_threads(1)
    yield
    transformers.dynamic_module_utils.HF_MODULES_CACHE = before


@pytest.fixture(params=FORMS)
def folder(request, tmp_path):
    """The path of a folder, and what it was made from."""
    return tmp_path / "made", small_folder(tmp_path / "made", request.param)


@pytest.fixture
def lstm(tmp_path):
    return tmp_path / "made", small_folder(tmp_path / "made")


def opened(path, **options):
    return transformers.AutoModelForCausalLM.from_pretrained(path, trust_remote_code=True, **options)


def tokenizer_of(path, **options):
    return transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=True, **options)


def assert_near(found, ours):
    np.testing.assert_allclose(found, ours, rtol=1e-5, atol=2e-6)


def logits_of(model, ids, **options):
    with torch.no_grad():
        return model(torch.as_tensor(ids), **options).logits


def expected(exported, ids):
    """Our scores of each row from a fresh state."""
    exported.model.reset_state()
    return exported.model.predict(ids.astype(np.int32)).copy()


def continued(exported, ids, count):
    """The most probable words after ids, one after another; none after <eos>."""
    row = list(ids)
    while len(row) < len(ids) + count and row[len(ids) :][-1:] != [exported.vocabulary.eos_id]:
        row.append(int(expected(exported, np.array([row]))[0, -1].argmax()))
    return row


def test_the_scores_are_ours(folder):
    path, exported = folder
    found = logits_of(opened(path), IDS)
    assert_near(found[..., :PAD], expected(exported, IDS))
    assert (found.softmax(-1)[..., PAD] == 0).all()
    assert found.isfinite().all()


@pytest.mark.parametrize("side", ["left", "right", "both", "inside"])
def test_padding_anywhere_changes_nothing(folder, side):
    path, exported = folder
    columns = {"left": [3, 4, 5, 6, 7, 8], "right": [0, 1, 2, 3], "both": [2, 3, 4, 5], "inside": [0, 1, 4, 5, 8]}[side]
    ids, mask = np.full((3, 9), PAD), np.zeros((3, 9), int)
    ids[0], mask[0] = IDS[0], 1
    ids[1, columns], mask[1, columns] = IDS[1, : len(columns)], 1
    model = opened(path)
    for given in (ids, np.where(ids == PAD, 1, ids)):  # what is masked may have any id
        found = logits_of(model, given, attention_mask=torch.as_tensor(mask))[..., :PAD]
        assert_near(found[0], expected(exported, IDS[:1])[0])
        assert_near(found[1, columns], expected(exported, IDS[1:2, : len(columns)])[0])
        assert found.isfinite().all()  # the third row is nothing but padding
    assert_near(logits_of(model, ids)[1, columns][..., :PAD], found[1, columns])


def test_no_step_knows_the_words_after_it(lstm):
    """Nor does one of padding on the left, which a loss may ask for the first word."""
    model = opened(lstm[0])
    ids, mask = torch.tensor(IDS[:1]).repeat(7, 1), torch.ones(7, 9, dtype=int)
    ids[:, 4], mask[:, :4] = torch.arange(7), 0
    found = logits_of(model, ids, attention_mask=mask)
    assert (found[:, :4] == found[0, :4]).all()


def test_a_text_in_parts_is_the_text(folder):
    path, exported = folder
    model = opened(path)
    with torch.no_grad():
        first = model(torch.as_tensor(IDS[:, :4]))
        second = model(torch.as_tensor(IDS[:, 4:]), states=first.states)
    assert_near(second.logits[..., :PAD], expected(exported, IDS)[:, 4:])


@pytest.mark.parametrize("use_cache", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_generate_writes_the_most_probable_words(folder, side, use_cache):
    path, exported = folder
    prompts = [[2, 0, 1], [2], [2, 4, 5, 0, 6]]
    width = max(map(len, prompts))
    pads = [[PAD] * (width - len(prompt)) for prompt in prompts]
    ids = [pad + prompt if side == "left" else prompt + pad for pad, prompt in zip(pads, prompts, strict=True)]
    mask = torch.tensor(ids) != PAD
    made = opened(path).generate(torch.tensor(ids), attention_mask=mask.int(), max_new_tokens=6, do_sample=False,
                                 use_cache=use_cache)
    for row, prompt in zip(made.tolist(), prompts, strict=True):
        assert [i for i in row if i != PAD] == continued(exported, prompt, 6)


def test_the_default_of_generate_is_no_cache(lstm):
    model = opened(lstm[0])
    assert model.generation_config.use_cache is False
    made = model.generate(torch.tensor([[2, 0]]), max_new_tokens=5, do_sample=False)
    assert made[0].tolist() == continued(lstm[1], [2, 0], 5)


@pytest.mark.parametrize("use_cache", [False, True])
def test_beam_search_finds_what_is_more_probable(lstm, use_cache):
    """With as many beams as there are texts, the best of all is found."""
    path, exported = lstm
    made = opened(path).generate(torch.tensor([[2, 0]]), max_new_tokens=2, min_new_tokens=2, num_beams=49,
                                 do_sample=False, use_cache=use_cache, length_penalty=0.0)
    scores = {}
    for first in range(7):
        for second in range(7):
            ids = np.array([[2, 0, first, second]])
            logits = expected(exported, ids)[0].astype(float)
            logits -= np.log(np.exp(logits).sum(-1, keepdims=True))
            scores[2, 0, first, second] = logits[1, first] + logits[2, second] if first != 2 else -np.inf
    best = max((score, ids) for ids, score in scores.items() if ids[3] != 2)[1]
    assert tuple(made[0].tolist()) == best


def test_the_loss_is_the_mean_of_minus_log_p_and_reaches_every_weight(folder):
    path, exported = folder
    model = opened(path)
    labels = torch.as_tensor(IDS).clone()
    loss = model(torch.as_tensor(IDS), labels=labels).loss
    exported.model.reset_state()
    ours = -exported.model.log_probs(IDS[:, :-1].astype(np.int32), IDS[:, 1:].astype(np.int32)).mean()
    assert loss.item() == pytest.approx(ours, rel=1e-5)
    loss.backward()
    assert all(param.grad is not None and param.grad.abs().sum() > 0 for param in model.parameters())


def test_saved_and_opened_again(folder, tmp_path):
    path, exported = folder
    model = opened(path)
    model.save_pretrained(tmp_path / "again")
    tokenizer_of(path).save_pretrained(tmp_path / "again")
    again = opened(tmp_path / "again")
    assert torch.equal(logits_of(again, IDS), logits_of(model, IDS))
    assert (again.decoder.weight is again.encoder.weight) is exported.model.architecture.tied
    assert tokenizer_of(tmp_path / "again")("the cat\nsat")["input_ids"] == [2, 0, 1, 2, 4]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(folder, dtype):
    path, _ = folder
    model = opened(path, **{DTYPE: getattr(torch, dtype)})
    assert {param.dtype for param in model.parameters()} == {getattr(torch, dtype)}
    mask = torch.ones(3, 9, dtype=int)
    mask[1, :4] = 0
    whole = logits_of(opened(path), IDS, attention_mask=mask)
    half = logits_of(model, IDS, attention_mask=mask)
    assert half.dtype == getattr(torch, dtype)
    assert (half.softmax(-1).float() - whole.softmax(-1)).abs().max() < 0.03
    assert (half.softmax(-1)[..., PAD] == 0).all()
    model.generate(torch.tensor([[2, 0]]), max_new_tokens=3)


def test_placed_by_accelerate_and_made_without_memory_first(folder):
    pytest.importorskip("accelerate")
    path, _ = folder
    whole = logits_of(opened(path), IDS)
    for options in ({"device_map": "cpu"}, {"device_map": "auto"}, {"low_cpu_mem_usage": True}):
        assert torch.equal(logits_of(opened(path, **options), IDS), whole)


def test_nothing_is_missing_nothing_is_left_over(folder):
    path, _ = folder
    _, report = opened(path, output_loading_info=True)
    assert not any(report.values()), report


def test_a_new_model_of_the_configuration_can_be_trained(folder):
    path, _ = folder
    config = transformers.AutoConfig.from_pretrained(path, trust_remote_code=True)
    model = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=True)
    rule = torch.optim.SGD(model.parameters(), 0.5)
    losses = []
    for _ in range(20):
        losses.append(model(torch.as_tensor(IDS), labels=torch.as_tensor(IDS)).loss)
        rule.zero_grad()
        losses[-1].backward()
        rule.step()
    assert losses[-1] < losses[0]


def test_the_tokenizer_pads_masks_and_joins(lstm):
    tokenizer = tokenizer_of(lstm[0])
    batch = tokenizer(["the dog sat\n", "a"], padding=True)
    assert batch["input_ids"] == [[2, 0, 3, 4, 2], [2, 3, PAD, PAD, PAD]]
    assert batch["attention_mask"] == [[1] * 5, [1, 1, 0, 0, 0]]
    assert tokenizer.decode([2, 0, 1, 2, PAD], skip_special_tokens=True) == "the cat"
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (2, 2, PAD)
    assert len(tokenizer) == PAD + 1
    assert tokenizer_of(lstm[0], padding_side="left")(["the cat", "a"], padding=True)["input_ids"][1] == [PAD, 2, 3]


def test_a_pipeline_writes(lstm):
    path, exported = lstm
    write = transformers.pipeline("text-generation", model=opened(path), tokenizer=tokenizer_of(path))
    (made,) = write("the cat", max_new_tokens=3, do_sample=False)
    words = [exported.vocabulary.words[i] for i in continued(exported, [2, 0, 1], 3)[3:]]
    new = " ".join(word for word in words if word != "<eos>")
    blank = "" if IS_FIVE else " "  # it decodes the new words alone: no blank is before the first
    assert made["generated_text"] == f"the cat{blank}{new}"


def test_a_model_of_pieces_writes_text(tmp_path):
    from rnnlm.text.subwords import byte_level

    subwords = byte_level.Subwords.train(["the cat sat on the mat"] * 3, 262)
    exported = small_folder(tmp_path / "made", words=[*subwords.tokens, "<eos>"], level=subwords)
    tokenizer, eos = tokenizer_of(tmp_path / "made"), exported.vocabulary.eos_id
    ids = tokenizer("the cat\nsät", return_tensors="pt").input_ids
    assert ids[0].tolist() == [eos, *exported.vocabulary.encode(subwords.split("the cat\nsät"))]
    assert tokenizer.decode(ids[0, 1:]) == "the cat\nsät"
    row = continued(exported, ids[0].tolist(), 4)
    assert opened(tmp_path / "made").generate(ids, max_new_tokens=4, do_sample=False)[0].tolist() == row
