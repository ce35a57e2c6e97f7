"""`negmine audit`: the same machinery judges negatives that somebody else mined."""

from negmine.jobs.audit.run import Audit, Request, audit

__all__ = ["Audit", "Request", "audit"]
