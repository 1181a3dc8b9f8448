"""A client of the API, for playbooks and notebooks.

    with Client("http://127.0.0.1:8338", key) as trailhound:
        for threat in trailhound.threats(severity=["critical"], since="1h"):
            print(threat.source, threat.trail, threat.info)

Every method raises `RequestError` with what the server said. What a newer server adds to its answers is passed over.
"""

from trailhound.client.client import Client
from trailhound.client.conditions import Conditions
from trailhound.errors import RequestError

__all__ = ["Client", "Conditions", "RequestError"]
