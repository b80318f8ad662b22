"""Worksheets for pharmacists: the rows of a drug as a spreadsheet, and the signed one taken back.

Imported by the two commands alone; no part of the running service needs it.
"""

from cds_service.knowledge.worksheets.layout import Worksheet, worksheets_of
from cds_service.knowledge.worksheets.taking_back import Proposal, changes_of, proposal
from cds_service.knowledge.worksheets.workbooks import file_name, write_workbook

__all__ = [
    "Proposal",
    "Worksheet",
    "changes_of",
    "file_name",
    "proposal",
    "worksheets_of",
    "write_workbook",
]
