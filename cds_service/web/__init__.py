"""Pages that people look at: what this service is, what it knows, the basis of one decision.

Server-rendered, without scripts and without anything from another host.
"""

from __future__ import annotations

from cds_service.web.blueprint import create_web_blueprint
from cds_service.web.knowledge_pages import create_knowledge_blueprint
from cds_service.web.links import LinkError, LinkExpired, LinkInvalid, LinkSigner

__all__ = [
    "LinkError",
    "LinkExpired",
    "LinkInvalid",
    "LinkSigner",
    "create_knowledge_blueprint",
    "create_web_blueprint",
]
