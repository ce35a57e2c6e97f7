"""Resource hints of the steps that run a model."""

import argparse

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


class ModelOptions(PipelineOptions):
    """What a worker needs that runs an encoder or a judge; other steps ask for nothing."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--model_min_ram", help="memory, such as 16GB")
        parser.add_argument("--model_accelerator", help="such as type:nvidia-l4;count:1")


def with_hints(pipeline: beam.Pipeline, transform: beam.PTransform) -> beam.PTransform:
    """The transform with the hints of the pipeline's ModelOptions, none by default."""
    options = pipeline.options.view_as(ModelOptions)
    hints = {"min_ram": options.model_min_ram, "accelerator": options.model_accelerator}
    return transform.with_resource_hints(
        **{name: value for name, value in hints.items() if value is not None}
    )
