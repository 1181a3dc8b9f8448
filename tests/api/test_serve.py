import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import httpx
import pytest

from api.moments import wall_clock
from api.serve import serve
from stores.contract import Store
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, make_attack
from trailhound.errors import SettingsError
from trailhound.settings import Api, Settings

ALONE = """
import sys
from pathlib import Path
from api.serve import serve
from stores.embedded import open_embedded
from tests.api.trails import DictLookup
from trailhound.settings import Api, Settings

folder = Path(sys.argv[1])
store = open_embedded(folder / "events.sqlite")
settings = Settings(state_dir=folder, api=Api(port=0, access="open"))
serve(settings, store, DictLookup([]), ready=lambda url: print(url, flush=True))
store.close()
print("closed", flush=True)
"""


@contextlib.contextmanager
def serving(settings: Settings, store: Store, trails: DictLookup) -> Iterator[str]:
    stop, urls = threading.Event(), SimpleQueue[str]()
    thread = threading.Thread(
        target=serve, args=(settings, store, trails), kwargs={"ready": urls.put, "stop": stop}, daemon=True
    )
    thread.start()
    try:
        yield urls.get(timeout=20)
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture
def url(tmp_path: Path, store: Store, trails: DictLookup) -> Iterator[str]:
    store.append(
        [
            make_attack(start=wall_clock() - HOUR),
            make_attack(source_ip="2a00:1450::1", start=wall_clock() - HOUR),
            make_attack(source_ip="192.168.1.10", start=wall_clock() - HOUR),
        ]
    )
    with serving(Settings(state_dir=tmp_path, api=Api(port=0, access="open")), store, trails) as address:
        yield address


@pytest.mark.skipif(shutil.which("curl") is None and not os.environ.get("CI"), reason="needs curl")
def test_the_classic_script_for_fail2ban_works(url: str) -> None:
    port = httpx.URL(url).port
    script = f"for ip in $(curl http://127.0.0.1:{port}/fail2ban 2>/dev/null | grep -P '^[0-9.]+$'); do echo $ip; done"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "45.155.205.233\n"


def test_answers_do_not_name_the_server(url: str) -> None:
    answer = httpx.get(f"{url}/api/v1/summary")
    assert answer.status_code == 200
    assert "server" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_has_no_body_on_the_wire(url: str) -> None:
    with httpx.Client() as client:
        assert client.head(f"{url}/api/v1/events").content == b""
        assert client.get(f"{url}/ping").text == "pong"


def test_a_forwarded_address_is_not_believed_even_from_the_loopback(tmp_path: Path, store: Store) -> None:
    settings = Settings(state_dir=tmp_path, api=Api(port=0, list_networks=("192.0.2.0/24",)))
    with serving(settings, store, DictLookup([])) as url:
        assert httpx.get(f"{url}/fail2ban", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404


def test_a_hundred_long_values_can_be_checked(url: str) -> None:
    query = "&".join(f"value=host{n}.example/{'p' * 2000}" for n in range(100))
    connection = http.client.HTTPConnection("127.0.0.1", httpx.URL(url).port or 0, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", f"/api/v1/trails/check?{query}")
        assert len(json.load(connection.getresponse())["results"]) == 100


def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path, store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"api.port = {port}: another program"):
            serve(Settings(state_dir=tmp_path, api=Api(port=port)), store, DictLookup([]), stop=threading.Event())


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "two words", "x" * 300])
def test_a_host_that_is_not_ours_is_a_clear_error(tmp_path: Path, store: Store, host: str) -> None:
    with pytest.raises(SettingsError, match=r"api.host = "):
        serve(Settings(state_dir=tmp_path, api=Api(host=host, port=0)), store, DictLookup([]), stop=threading.Event())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_the_caller_cleans_up(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", ALONE, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/ping").text == "pong"
        process.send_signal(number)
        assert process.stdout.read() == "closed\n"
        assert process.wait(timeout=20) == 0
