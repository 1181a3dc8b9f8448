"""Lines as Zeek and Suricata write them, each like no other; some that nobody can read."""

import json
from typing import Protocol

_START = 1_700_000_000
MISS = "nothing.test"
_FIELDS = {
    "ts": "time",
    "uid": "string",
    "id.orig_h": "addr",
    "id.orig_p": "port",
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "proto": "enum",
    "trans_id": "count",
    "query": "string",
    "rcode_name": "string",
}
# What a Zeek of another version or with another policy writes, from its restart on, into the same file.
LAYOUTS = (tuple(_FIELDS), ("ts", "uid", "id.orig_h", "id.orig_p", "rcode_name", "query", "id.resp_h", "id.resp_p"))


class Form(Protocol):
    """How one log is written: `line` gives a whole line, `broken` one that no reader can read."""

    def line(self, number: int, name: str) -> bytes: ...

    def broken(self, mark: str) -> bytes: ...


class ZeekTsv:
    """A dns.log in columns; `layout` is which of them, and may change in mid-file behind a new header."""

    def __init__(self, letter: str) -> None:
        self._letter = letter
        self.layout = LAYOUTS[0]

    def header(self, opened: int) -> bytes:
        lines = (
            "#separator \\x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            "#path\tdns",
            f"#open\t2023-11-14-22-13-{opened:06d}",
            "\t".join(("#fields", *self.layout)),
            "\t".join(("#types", *(_FIELDS[column] for column in self.layout))),
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def line(self, number: int, name: str) -> bytes:
        row = _row(self._letter, number, name)
        return ("\t".join(str(row[column]) for column in self.layout) + "\n").encode()

    def broken(self, mark: str) -> bytes:
        return f"{mark}\thalf a row\n".encode()


class ZeekJson:
    """A dns.log with an object a line."""

    def __init__(self, letter: str) -> None:
        self._letter = letter

    def line(self, number: int, name: str) -> bytes:
        return json.dumps({"_path": "dns", **_row(self._letter, number, name)}).encode() + b"\n"

    def broken(self, mark: str) -> bytes:
        return f'{{"{mark}": half an object\n'.encode()


class Eve:
    """An eve.json of dns requests."""

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def line(self, number: int, name: str) -> bytes:
        event = {
            "timestamp": f"2023-11-14T22:{number // 60 % 60:02d}:{number % 60:02d}.000000+0000",
            "flow_id": self._thread << 40 | number,
            "event_type": "dns",
            "src_ip": "10.0.0.5",
            "src_port": 40000,
            "dest_ip": "10.0.0.1",
            "dest_port": 53,
            "proto": "UDP",
            "dns": {"version": 2, "type": "query", "id": number % 65536, "rrname": name, "rrtype": "A", "tx_id": 0},
        }
        return json.dumps(event).encode() + b"\n"

    def broken(self, mark: str) -> bytes:
        return f'{{"event_type": "dns", "{mark}": \n'.encode()


def _row(letter: str, number: int, name: str) -> dict[str, object]:
    return {
        "ts": _START + number,
        "uid": f"C{letter}{number:016d}",
        "id.orig_h": "10.0.0.5",
        "id.orig_p": 40000,
        "id.resp_h": "10.0.0.1",
        "id.resp_p": 53,
        "proto": "udp",
        "trans_id": number % 65536,
        "query": name,
        "rcode_name": "NOERROR",
    }
