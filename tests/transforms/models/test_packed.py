"""Packed layers: the plain layers' numbers, a row's bits in any company, weights kept once."""

import copy

import pytest
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

from negmine.transforms.models.packed import PackedLinear, can_pack, pack_linears

pytestmark = pytest.mark.skipif(not can_pack(), reason="torch has no oneDNN for x86 here")

WIDTH = {"vocab_size": 90, "max_position_embeddings": 64}
BERT = BertConfig(
    hidden_size=384, intermediate_size=1536, num_hidden_layers=2, num_attention_heads=12, **WIDTH
)
DISTIL = DistilBertConfig(dim=96, hidden_dim=384, n_layers=2, n_heads=4, **WIDTH)


def numbers(model: torch.nn.Module, rows: int, words: int = 32) -> torch.Tensor:
    ids = torch.arange(rows * words).reshape(rows, words) * 7 % 90
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=mask).last_hidden_state


@pytest.mark.parametrize(
    ("model", "config", "activation"),
    [
        (BertModel, BERT, "intermediate_act_fn"),
        (DistilBertModel, DISTIL, "activation"),
        (BertModel, BertConfig(**{**BERT.to_dict(), "hidden_act": "gelu_new"}), None),
    ],
)
def test_a_packed_transformer_gives_the_plain_ones_numbers(
    model: type[torch.nn.Module], config: object, activation: str | None
) -> None:
    plain = model(config).eval()
    packed = copy.deepcopy(plain)
    pack_linears(packed)
    layers = [module for module in packed.modules() if isinstance(module, PackedLinear)]
    assert len(layers) >= 12
    assert {layer.activation for layer in layers} == ({"none", "gelu"} if activation else {"none"})
    torch.testing.assert_close(numbers(packed, 3), numbers(plain, 3), atol=2e-5, rtol=0)


@pytest.mark.parametrize("shape", [(384, 1536), (1536, 384), (384, 384), (384, 1)])
def test_a_rows_bits_do_not_depend_on_the_rows_beside_it(shape: tuple[int, int]) -> None:
    layer = torch.nn.Sequential(torch.nn.Embedding(1, 1), torch.nn.Linear(*shape)).eval()
    pack_linears(layer)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            rows = torch.randn(4096, shape[0])
            whole = layer[1](rows)
            for count in (*range(1, 40), 255, 256, 1000, 2048):
                assert torch.equal(layer[1](rows[:count]), whole[:count]), count
                assert torch.equal(layer[1](rows[17 : 17 + count]), whole[17 : 17 + count]), count
    finally:
        torch.set_num_threads(threads)


def test_the_plain_weights_are_let_go_and_cannot_be_read_by_mistake() -> None:
    model = BertModel(BERT).eval()
    pack_linears(model)
    dense = model.encoder.layer[0].output.dense
    assert dense.weight.shape == (384, 1536)
    assert dense.weight.dtype == torch.float32
    with pytest.raises((NotImplementedError, RuntimeError)):
        dense.weight.cpu()


def test_layers_that_share_their_weights_stay_plain() -> None:
    table = torch.nn.Embedding(30, 16)
    head = torch.nn.Linear(16, 30)
    head.weight = table.weight
    model = torch.nn.Sequential(table, torch.nn.Linear(16, 16), head).eval()
    pack_linears(model)
    assert [type(module) for module in model] == [torch.nn.Embedding, PackedLinear, torch.nn.Linear]
