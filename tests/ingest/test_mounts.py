"""File systems without notices."""

from pathlib import Path

import pytest

from ingest.mounts import is_remote

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/logs /mnt/logs nfs4 rw,vers=4.2 0 0
//server/share /mnt/with\\040space cifs rw 0 0
sensor:/ /mnt/ssh fuse.sshfs rw 0 0
tmpfs /mnt/logs/local tmpfs rw 0 0
overlay /mnt/over nfs rw 0 0
overlay /mnt/over overlay rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "remote"),
    [
        ("/var/log", False),
        ("/mnt/logs", True),
        ("/mnt/logs/zeek/current", True),
        ("/mnt/logs/local/zeek", False),
        ("/mnt/logsmore", False),
        ("/mnt/with space/zeek", True),
        ("/mnt/ssh", True),
        ("/mnt/over/x", False),
    ],
)
def test_shares_are_told_by_what_they_are_mounted_as(tmp_path: Path, folder: str, *, remote: bool) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert is_remote(Path(folder), mounts) is remote


def test_where_nobody_can_tell_a_folder_is_an_ordinary_one(tmp_path: Path) -> None:
    assert not is_remote(Path("/mnt/logs"), tmp_path / "missing")
    assert not is_remote(tmp_path)
