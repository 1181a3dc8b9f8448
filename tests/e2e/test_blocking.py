"""Attackers that are blocked, and let go: real firewalls between two hosts, and what we ship for them."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, Process, eventually
from tests.e2e.namespaces import ATTACKER, Wire, need, wire
from tests.ingest.living import append

Start = Callable[..., Process]
_DEPLOY = Path(__file__).parents[2] / "deploy"


class Site:
    """Trailhound on our host, which sees two attackers in its logs."""

    def __init__(self, installation: Installation, start: Start, two: Wire) -> None:
        self.wire = two
        self.root = installation.root
        trails = installation.root / "attackers.csv"
        trails.write_text("".join(f"{address},mass scanner,test\n" for address in ATTACKER), "utf-8")
        self._log = installation.logs / "conn.log"
        self._log.touch()
        self._uid = 0
        arguments = ["run", installation.logs, "--state", installation.state, "--trails", trails, "--port", 0]
        self._process = start(*arguments, program=two.command(sys.executable, "-m", "trailhound"))
        self.url = self._process.url

    def attack(self) -> None:
        """Let both attackers knock, as Zeek writes it down, and wait until they stand on a list."""
        for address in ATTACKER:
            self._uid += 1
            row = {
                "_path": "conn",
                "ts": time.time(),
                "uid": f"C{self._uid:017}",
                "id.orig_h": address,
                "id.orig_p": 40000 + self._uid,
                "id.resp_h": "192.168.1.10" if "." in address else "fd00::10",
                "id.resp_p": 22,
                "proto": "tcp",
                "conn_state": "SF",
                "local_orig": False,
                "local_resp": True,
            }
            append(self._log, json.dumps(row).encode() + b"\n")
        eventually(lambda: self.listed() == set(ATTACKER))

    def listed(self) -> set[str]:
        return set(self.wire.ask("GET", f"{self.url}/fail2ban?family=any").split())

    def clear(self) -> None:
        for address in ATTACKER:
            self.wire.ask("POST", f"{self.url}/api/v1/cleared", {"address": address, "reason": "it was reinstalled"})

    def script(self, name: str, *arguments: object, **environment: str) -> None:
        self.wire.run("sh", _DEPLOY / "scripts" / name, self.url, *arguments, **environment)

    def reached(self) -> list[bool]:
        """Tell whether the attackers reach us, over IPv4 and over IPv6."""
        return [self.wire.reaches(0), self.wire.reaches(1)]


@pytest.fixture
def site(installation: Installation, start: Start) -> Iterator[Site]:
    need()
    with wire() as two:
        yield Site(installation, start, two)


def goes_through_all(site: Site, update: Callable[[], object]) -> None:
    """See an attacker blocked, let go, and blocked again for something new."""
    assert site.reached() == [True, True]
    site.attack()
    update()
    eventually(lambda: site.reached() == [False, False])
    site.clear()
    update()
    eventually(lambda: site.reached() == [True, True])
    site.attack()
    update()
    eventually(lambda: site.reached() == [False, False])


def test_the_script_for_nftables_blocks_and_lets_go(site: Site) -> None:
    need("nft")
    state = str(site.root / "lists")
    goes_through_all(site, lambda: site.script("trailhound-nftables", "attackers", "attackers6", STATE=state))
    # Whoever empties the tables finds them filled again, though the list is the same.
    site.wire.run("nft", "flush", "ruleset")
    assert site.reached() == [True, True]
    site.script("trailhound-nftables", "attackers", "attackers6", STATE=state)
    assert site.reached() == [False, False]


def test_the_script_for_ipset_blocks_and_lets_go(site: Site) -> None:
    need("ipset", "iptables", "ip6tables")
    state = str(site.root / "lists")
    goes_through_all(site, lambda: site.script("trailhound-ipset", "attackers", "attackers6", STATE=state))


def test_a_list_that_cannot_be_had_leaves_the_last_in_force(site: Site) -> None:
    need("nft")
    state = str(site.root / "lists")
    site.attack()
    site.script("trailhound-nftables", "attackers", "attackers6", STATE=state)
    said = site.wire.command("sh", _DEPLOY / "scripts" / "trailhound-nftables", site.url, "no-such-list")
    done = subprocess.run(
        said, check=False, capture_output=True, text=True, env={"STATE": state, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    assert done.returncode == 1
    assert "answers 404; the last list stays" in done.stderr
    assert site.reached() == [False, False]


def test_the_classic_script_blocks(site: Site) -> None:
    """The lines that people have in their crontabs, word by word, but for name and address."""
    need("ipset", "iptables")
    site.attack()
    classic = (
        "ipset -q flush maltrail; ipset -q create maltrail hash:net; "
        f"for ip in $(curl {site.url}/fail2ban 2>/dev/null | grep -P '^[0-9.]+$'); do ipset add maltrail $ip; done; "
        "iptables -C INPUT -m set --match-set maltrail src -j DROP 2>/dev/null || "
        "iptables -I INPUT -m set --match-set maltrail src -j DROP"
    )
    site.wire.run("sh", "-c", classic)
    assert site.reached() == [False, True]
    site.clear()
    site.wire.run("sh", "-c", classic)
    assert site.reached() == [True, True]


@contextmanager
def fail2ban(site: Site) -> Iterator[dict[str, str]]:
    """Run fail2ban on our host with what we ship; give what the script has to know of it."""
    folder, log = site.root / "fail2ban", site.root / "attackers.log"
    shutil.copytree("/etc/fail2ban", folder)
    shutil.rmtree(folder / "jail.d")
    shutil.copytree(_DEPLOY / "fail2ban", folder, dirs_exist_ok=True)
    (folder / "fail2ban.local").write_text("[Definition]\ndbfile = None\nlogtarget = STDOUT\n", "utf-8")
    (folder / "jail.local").write_text(f"[trailhound]\nlogpath = {log}\n", "utf-8")
    log.touch()
    options = ["-c", folder, "-s", folder / "socket", "-p", folder / "pid"]
    command = site.wire.command("fail2ban-server", *options, "-f", "start")
    with (site.root / "fail2ban.txt").open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as server:
        try:
            client = " ".join(map(str, ["fail2ban-client", *options]))
            eventually(
                lambda: (
                    "pong"
                    in subprocess.run(
                        site.wire.command(*client.split(), "ping"), check=False, capture_output=True, text=True
                    ).stdout
                )
            )
            yield {"LOG": str(log), "STATE": str(site.root / "known"), "CLIENT": client}
        finally:
            server.terminate()
            server.wait(30)


def test_fail2ban_blocks_and_lets_go(site: Site) -> None:
    need("fail2ban-server", "fail2ban-client", "nft")
    with fail2ban(site) as environment:
        goes_through_all(site, lambda: site.script("trailhound-fail2ban", **environment))


def test_the_bouncer_of_crowdsec_blocks_and_lets_go(site: Site) -> None:
    need("crowdsec-firewall-bouncer", "nft")
    settings = site.root / "bouncer.yaml"
    family = "{enabled: true, set-only: false, table: TABLE, chain: bouncer}"
    settings.write_text(
        f"mode: nftables\npid_dir: {site.root}/\nupdate_frequency: 1s\ndaemonize: false\nlog_mode: stdout\n"
        f"log_level: info\napi_url: {site.url}/\napi_key: a-key\ndisable_ipv6: false\ndeny_action: DROP\n"
        "deny_log: false\nblacklists_ipv4: blocked\nblacklists_ipv6: blocked6\n"
        f"nftables:\n  ipv4: {family.replace('TABLE', 'bouncer')}\n  ipv6: {family.replace('TABLE', 'bouncer6')}\n",
        "utf-8",
    )
    command = site.wire.command("crowdsec-firewall-bouncer", "-c", settings)
    with (site.root / "bouncer.txt").open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as bouncer:
        try:
            goes_through_all(site, lambda: None)
        finally:
            bouncer.terminate()
            bouncer.wait(30)
