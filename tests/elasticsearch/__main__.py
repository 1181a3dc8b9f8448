"""Start a real Elasticsearch until Ctrl-C; its data goes when it ends."""

# ruff: noqa: T201 - it is a program, and this is its output.

import argparse
import signal
import sys

from tests.elasticsearch.distribution import VERSION, MissingError
from tests.elasticsearch.server import ElasticsearchServer


def main() -> int:
    parser = argparse.ArgumentParser(prog="make elasticsearch", description=__doc__)
    parser.add_argument("--version", default=VERSION, help="default: %(default)s")
    parser.add_argument("--port", type=int, default=9200, help="on 127.0.0.1; default: %(default)s")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # Both: who starts it in the background may have it ignore Ctrl-C.
        signal.signal(number, signal.default_int_handler)
    try:
        with ElasticsearchServer(arguments.version, arguments.port) as server:
            print(f"Elasticsearch {arguments.version} runs on {server.url}; Ctrl-C ends it, and its data goes.")
            point = f"TRAILHOUND_STORE__KIND=elasticsearch TRAILHOUND_STORE__ELASTICSEARCH__HOSTS='[\"{server.url}\"]'"
            print(f"Trailhound takes it: {point} make run")
            print(f"Tests take it too: TRAILHOUND_TEST_ELASTICSEARCH={server.url} make test", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (MissingError, AssertionError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
