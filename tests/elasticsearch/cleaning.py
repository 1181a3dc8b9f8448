"""Remove what a test left in a server, as far as that server can."""

from typing import Any

import httpx


def clean(url: str, namespace: str) -> None:
    """Remove indices, data streams and templates with the namespace in their names.

    The stripped server cannot delete a data stream: it keeps an empty one, and the templates that belong to it.
    """
    with httpx.Client(base_url=url, timeout=60, params={"expand_wildcards": "all"}) as client:
        found = client.get(f"/_resolve/index/*{namespace}*").raise_for_status().json()
        for stream in found["data_streams"]:
            _remove_stream(client, stream)
        for index in found["indices"]:
            if "data_stream" not in index:
                client.delete(f"/{index['name']}")
    with httpx.Client(base_url=url, timeout=60) as client:
        for kind in ("index_template", "component_template"):
            answer = client.get(f"/_{kind}/*{namespace}*")
            # One by one: a single one in use would keep all.
            for template in answer.json()[f"{kind}s"] if answer.is_success else ():
                client.delete(f"/_{kind}/{template['name']}")


def _remove_stream(client: httpx.Client, stream: dict[str, Any]) -> None:
    name = stream["name"]
    if client.delete(f"/_data_stream/{name}").is_success:
        return
    rolled = httpx.post(f"{client.base_url}/{name}/_rollover", timeout=60)
    if rolled.is_success:
        for index in stream["backing_indices"]:
            client.delete(f"/{index}")
