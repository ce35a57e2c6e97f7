"""Plans of batches, as trainers read them: `BatchPlan`."""

from negmine.transforms.batches.plan import METADATA, VERSION, BatchPlan

__all__ = ["METADATA", "VERSION", "BatchPlan"]
