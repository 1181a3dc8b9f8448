"""Which log a file or line belongs to, told by its columns; names only where columns do not say."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath

# Columns that only this log has together; the first that fits wins.
_SIGNATURES: tuple[tuple[str, frozenset[str]], ...] = (
    ("x509", frozenset({"certificate.serial"})),
    ("quic", frozenset({"server_scid"})),
    ("quic", frozenset({"client_initial_dcid"})),
    ("dns", frozenset({"trans_id", "query"})),
    ("dns", frozenset({"query", "qtype"})),
    ("dns", frozenset({"trans_id", "rcode"})),
    ("http", frozenset({"trans_depth", "method"})),
    ("http", frozenset({"trans_depth", "status_code"})),
    ("http", frozenset({"trans_depth", "version"})),
    ("files", frozenset({"fuid", "seen_bytes"})),
    ("ssl", frozenset({"cipher", "established"})),
    ("ssl", frozenset({"established", "resumed"})),
    ("ssl", frozenset({"server_name", "established"})),
    ("conn", frozenset({"conn_state", "proto"})),
    ("ssh", frozenset({"auth_attempts", "direction"})),
    ("ssh", frozenset({"auth_success", "client"})),
    ("rdp", frozenset({"security_protocol", "result"})),
    ("rdp", frozenset({"security_protocol", "cookie"})),
    ("ftp", frozenset({"command", "reply_code"})),
    ("ntlm", frozenset({"server_nb_computer_name"})),
    ("ntlm", frozenset({"username", "domainname"})),
    ("kerberos", frozenset({"request_type", "client"})),
    ("kerberos", frozenset({"request_type", "service"})),
    ("notice", frozenset({"note", "msg", "actions"})),
    ("intel", frozenset({"seen.indicator", "seen.indicator_type"})),
)
# Logs with the columns of another, of which they repeat some records.
_COPIES = frozenset({"notice_alarm"})


_BUILT_IN = frozenset(log for log, _ in _SIGNATURES)


def log_of_columns(columns: Collection[str], name: str, known: Mapping[str, Sequence[str]]) -> str:
    """Tell the log by its columns. `name` is what the file says of itself; it decides when the columns do not.

    A name that the settings describe (a log of the site's own) is believed.
    """
    if name in _COPIES or (name in known and name not in _BUILT_IN):
        return name
    present = set(columns)
    return next((log for log, signature in _SIGNATURES if signature <= present), name)


def log_of_file(path: str) -> str:
    """Give the log's name by its file: `conn.2026-01-01-00.log.gz` and `conn_20260101.log` are `conn`."""
    stem = PurePath(path).name.partition(".")[0]
    return stem.partition("_20")[0].partition("-20")[0]
