"""Metrics that the student's vectors give: ECI, geometry, what tells texts apart."""
