"""What keeps the service from starting is said with host and reason, and nothing is half done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving.conftest import launched
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    address = "postgresql://alk:secret@127.0.0.1:1/records"
    process, printed, _ = launched(tmp_path, database_url=address)
    assert process.wait(PATIENCE) != 0
    told = printed.read_text(encoding="utf-8")
    assert "ALK_CDS_DATABASE_URL: PostgreSQL at 127.0.0.1:1 cannot be reached" in told
    assert "Connection refused" in told
    assert "secret" not in told
    assert "Traceback" not in told
