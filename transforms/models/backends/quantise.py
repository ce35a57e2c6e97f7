"""Eight-bit products in an OpenVINO graph, calibrated without texts: one model, one graph."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from negmine.transforms.models.backends.package import openvino

if TYPE_CHECKING:
    from openvino import Model, Node, Output

_SMOOTHING = 0.65
"""Share of a channel's spread that moves from the activations to the weights (SmoothQuant)."""

_TEXTS, _TOKENS, _SEED = 64, 64, 42


def quantise(graph: "Model", inputs: list[str], words: int) -> None:
    """Let products with constant weights take 8-bit inputs, in place.

    Weights have a scale a row, activations one a tensor, after each channel was divided by
    `spread ** 0.65 / weight ** 0.35` and its weights multiplied by it, as in Xiao et al.,
    "SmoothQuant", 2023. Spreads are those of random tokens, so no corpus takes part. Products that
    read what an activation function gives stay as they are: their few large values take all steps.

    Args:
        graph: OpenVINO's, of float32 weights.
        inputs: names of its inputs.
        words: size of the vocabulary.
    """
    products = [group for group in _products(graph) if not _is_activated(group)]
    spreads = _spreads(graph, inputs, words, [group[0].input_value(0) for group in products])
    for group, spread in zip(products, spreads, strict=True):
        _quantise_group(group, spread)
    graph.validate_nodes_and_infer_types()


def _products(graph: "Model") -> Iterator[list["Node"]]:
    """Products with constant weights, those of one input together."""
    groups = defaultdict(list)
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "MatMul" and _has_constant_weights(node):
            source = node.input_value(0)
            groups[source.get_node().get_friendly_name(), source.get_index()].append(node)
    yield from groups.values()


def _has_constant_weights(product: "Node") -> bool:
    return product.input_value(1).get_node().get_type_name() == "Constant"


def _is_activated(group: list["Node"]) -> bool:
    kind = group[0].input_value(0).get_node().get_type_name()
    return kind in {"Gelu", "Relu", "Swish", "Multiply"}


def _spreads(
    graph: "Model", inputs: list[str], words: int, sources: list["Output"]
) -> list[np.ndarray]:
    """Largest magnitude of each channel of some outputs, for random tokens."""
    ov = openvino()
    observed = ov.Model(sources, graph.get_parameters(), "observed")
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    compiled = ov.Core().compile_model(observed, "CPU", settings)
    ids = np.random.default_rng(_SEED).integers(words // 20, words, (_TEXTS, _TOKENS))
    given = {"attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    found = compiled({name: given.get(name, ids) for name in inputs})
    return [
        np.maximum(np.abs(found[at]).reshape(-1, found[at].shape[-1]).max(0), 1e-6)
        for at in range(len(sources))
    ]


def _quantise_group(group: list["Node"], spread: np.ndarray) -> None:
    op = openvino().opset13
    weights = [_by_output(product) for product in group]
    largest = np.maximum(np.abs(np.concatenate(weights)).max(0), 1e-6)
    scale = spread**_SMOOTHING / largest ** (1 - _SMOOTHING)
    scale = (scale / np.exp(np.log(scale).mean())).astype(np.float32)
    limit = np.float32((spread / scale).max())
    source = group[0].input_value(0)
    smooth = op.multiply(source, op.constant(1 / scale))
    low = np.float32(-limit * 128 / 127)
    steps = op.fake_quantize(smooth, low, limit, low, limit, 256)
    for product, weight in zip(group, weights, strict=True):
        weight = weight * scale
        row = np.abs(weight).max(1, keepdims=True)
        if not product.get_attributes()["transpose_b"]:
            weight, row = np.ascontiguousarray(weight.T), np.ascontiguousarray(row.T)
        rounded = op.fake_quantize(op.constant(weight), -row, row, -row, row, 255)
        product.input(0).replace_source_output(steps.output(0))
        product.input(1).replace_source_output(rounded.output(0))


def _by_output(product: "Node") -> np.ndarray:
    """A product's weights, (outputs, inputs) float32."""
    weight = product.input_value(1).get_node().data.astype(np.float32)
    return weight if product.get_attributes()["transpose_b"] else weight.T
