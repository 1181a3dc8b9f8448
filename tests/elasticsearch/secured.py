"""A real Elasticsearch that lets in only whom it knows, over TLS: roles as the documentation gives them."""

import base64
import hashlib
import json
import os
import re
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.elasticsearch.distribution import MissingError
from tests.elasticsearch.server import ElasticsearchServer, _group
from tests.house.tree import text

PASSWORD = "correct horse battery"
ADMIN = "admin"
_SECURITY = """\
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.certificate: server.pem
xpack.security.http.ssl.key: server.key
xpack.security.http.ssl.certificate_authorities: [ca.pem]
"""


class SecuredServer(ElasticsearchServer):
    """One node with a user for each role, named as the role, and `admin`."""

    def __init__(self, roles: Mapping[str, Mapping[str, Any]], ca: trustme.CA) -> None:
        self._roles = roles
        self._ca = ca
        super().__init__()
        self.url = f"https://localhost:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "config" / "ca.pem"

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its certificate."""
        pem = (self.folder / "config" / "server.pem").read_text("ascii")
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()

    def healthy(self) -> bool:
        request = urllib.request.Request(f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s")
        request.add_header("Authorization", f"Basic {base64.b64encode(f'{ADMIN}:{PASSWORD}'.encode()).decode()}")
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(request, timeout=5, context=context):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _configure(self) -> None:
        super()._configure()
        config = self.folder / "config"
        settings = config / "elasticsearch.yml"
        said = settings.read_text("utf-8").replace("xpack.security.enabled: false\n", _SECURITY)
        settings.write_text(said, "utf-8")
        certificate = self._ca.issue_cert("localhost")
        certificate.cert_chain_pems[0].write_to_path(config / "server.pem")
        certificate.private_key_pem.write_to_path(config / "server.key")
        self._ca.cert_pem.write_to_path(config / "ca.pem")
        users = (ADMIN, *self._roles)
        (config / "users").write_text("".join(f"{user}:{_hashed(PASSWORD)}\n" for user in users), "utf-8")
        of = {"superuser": ADMIN, **{role: role for role in self._roles}}
        (config / "users_roles").write_text("".join(f"{role}:{user}\n" for role, user in of.items()), "utf-8")
        # JSON is YAML too; but roles are read line by line, one at its first column each.
        roles = "".join(f"{role}: {json.dumps(body)}\n" for role, body in self._roles.items())
        (config / "roles.yml").write_text(roles, "utf-8")
        if self._user is not None:
            for path in config.rglob("*"):
                shutil.chown(path, self._user, _group(self._user))


def _hashed(password: str) -> str:
    """Hash as the file of users takes it."""
    rounds, salt = 10_000, b"trailhound-salt-of-32-bytes-long"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 32)
    return f"{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def secured() -> SecuredServer:
    """Make a server that knows the roles of the documentation."""
    try:
        return SecuredServer(documented_roles(text("docs/elasticsearch.md")), trustme.CA())
    except MissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


def documented_roles(page: str) -> dict[str, dict[str, Any]]:
    """Give the roles that a page of the documentation shows, by the names in their requests."""
    found = re.findall(r"PUT _security/role/(\S+)\n(\{.*?\n\})", page, re.DOTALL)
    return {name: json.loads(body) for name, body in found}
