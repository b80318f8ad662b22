"""The release as pages that can be read: one a drug, one a table, in Markdown and HTML.

It reads a loaded release and writes nothing but text; it knows nothing of patients or cards.
"""

from cds_service.knowledge.rendering.files import Differences, compare, write
from cds_service.knowledge.rendering.pages import Writer, rendered

__all__ = ["Differences", "Writer", "compare", "rendered", "write"]
