"""A transformer's forward pass in OpenVINO, in the place of torch's."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import torch
from sentence_transformers.sentence_transformer.modules import Transformer
from transformers import logging

from negmine.schemas.errors import ModelError
from negmine.transforms.models.backends.package import openvino
from negmine.transforms.models.backends.quantise import quantise
from negmine.transforms.models.hardware import hardware_precision

if TYPE_CHECKING:
    from openvino import InferRequest, Model

_EXAMPLE = (2, 16)
"""Texts and tokens of the input that the torch model is traced with."""


class OpenVinoNetwork(torch.nn.Module):
    """Takes and gives what the transformers model took and gave, for one output of it.

    Safe to call from several threads. `config` is the model's.
    """

    def __init__(self, graph: "Model", inputs: list[str], output: str, precision: str) -> None:
        super().__init__()
        self.inputs, self.output = inputs, output
        self.device = torch.device("cpu")
        self._compiled = openvino().Core().compile_model(graph, "CPU", _settings(precision))
        self._idle: SimpleQueue[InferRequest] = SimpleQueue()

    def forward(self, **features: torch.Tensor) -> dict[str, torch.Tensor]:
        given = {name: features[name].numpy() for name in self.inputs}
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._compiled.create_infer_request()
        try:
            found = request.infer(given, share_inputs=True)[self._compiled.output(0)]
        finally:
            self._idle.put(request)
        return {self.output: torch.from_numpy(found)}


def _settings(precision: str) -> dict[str, str | int]:
    """One core a request, as the batches of the CPU are given to threads; none pinned to a core."""
    rest = hardware_precision("cpu") if precision == "int8" else precision
    cores = torch.get_num_threads()
    return {
        "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[rest],
        "NUM_STREAMS": cores,
        "INFERENCE_NUM_THREADS": cores,
        "ENABLE_CPU_PINNING": False,
    }


def run_in_openvino(transformer: Transformer, folder: str, section: str, precision: str) -> None:
    """Replace the transformers model of a sentence-transformers module, loaded in float32.

    Args:
        transformer: the module, on the CPU.
        folder: of its weights, for errors.
        section: of the config that names it.
        precision: fp32, bf16 or int8.

    Raises ModelError where it is no text model of one output, or cannot be converted.
    """
    output = _output(transformer, folder, section)
    network = transformer.model
    words = transformer.tokenizer.model_input_names
    inputs = [name for name in words if name in transformer._declared_forward_params]
    try:
        graph = _converted(network, inputs, output)
    except Exception as error:
        raise ModelError(
            f"{section}.backend: OpenVINO cannot convert the model in {folder} "
            f"({type(error).__name__}: {str(error)[:200]}); set {section}.backend: torch"
        ) from error
    if precision == "int8":
        quantise(graph, inputs, network.config.vocab_size)
    replaced = OpenVinoNetwork(graph, inputs, output, precision)
    replaced.config = network.config
    transformer.model = replaced


def _output(transformer: Transformer, folder: str, section: str) -> str:
    """Name of what the module reads of its model's output."""
    text = transformer.modality_config.get("text", {})
    name = text.get("method_output_name")
    if text.get("method") != "forward" or not isinstance(name, str):
        raise ModelError(
            f"{section}.backend: openvino runs models of text with one output, and the one in "
            f"{folder} reads {name!r} of {text.get('method')!r}; set {section}.backend: torch"
        )
    return name


class _Positional(torch.nn.Module):
    """A transformers model with its inputs in order, and one output."""

    def __init__(self, network: torch.nn.Module, inputs: list[str], output: str) -> None:
        super().__init__()
        self.network, self.inputs, self.output = network, inputs, output

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        given = dict(zip(self.inputs, values, strict=True))
        return self.network(**given, return_dict=True)[self.output]


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of tracing: where they are right, the vectors of the sample show it."""
    told = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(told)


def _converted(network: torch.nn.Module, inputs: list[str], output: str) -> "Model":
    """OpenVINO's graph of a model, any number of texts and tokens."""
    ov = openvino()
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    ids = torch.ones(_EXAMPLE, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[0, -1] = 0
    given = {"attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    example = tuple(given.get(name, ids) for name in inputs)
    wrapped = _Positional(network, inputs, output).eval()
    with torch.inference_mode(), _quiet():
        decoder = TorchScriptPythonDecoder(wrapped, example_input=example)
        front_end = ov.frontend.FrontEndManager().load_by_framework("pytorch")
        graph = front_end.convert(front_end.load(decoder))
    for port, name in zip(graph.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
    for port in graph.inputs:
        port.get_node().set_element_type(ov.Type.i64)
    graph.reshape({name: ov.PartialShape([-1, -1]) for name in inputs})
    graph.validate_nodes_and_infer_types()
    return graph
