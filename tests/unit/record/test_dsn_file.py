"""Who may read the file with a connection string: its owner and its group, as Kubernetes mounts secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.errors import ConfigError
from gate.record.postgres import open_postgres


def dsn(folder: Path, mode: int) -> Path:
    path = folder / "dsn"
    path.write_text("postgresql://gate@database.test/log\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_a_file_that_others_cannot_read_is_taken(mode: int, tmp_path: Path) -> None:
    open_postgres(None, dsn(tmp_path, mode)).close()


@pytest.mark.parametrize("mode", [0o444, 0o644, 0o604, 0o660, 0o620, 0o602, 0o601, 0o777])
def test_a_file_that_others_can_read_or_change_is_refused(mode: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can be read by others"):
        open_postgres(None, dsn(tmp_path, mode))


def test_a_secret_of_kubernetes_is_taken_through_its_links(tmp_path: Path) -> None:
    """A volume holds links: `dsn` to `..data/dsn`, and `..data` to the folder of the day."""
    day = tmp_path / "..2026_11_22"
    day.mkdir()
    dsn(day, 0o440)
    (tmp_path / "..data").symlink_to(day.name)
    (tmp_path / "dsn").symlink_to("..data/dsn")
    open_postgres(None, tmp_path / "dsn").close()
