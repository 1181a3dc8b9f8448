"""`python -m trailhound`, and what the command of that name calls.

Processes that we start import this module again: the command line with all its commands is not for them.
"""


def main() -> None:
    """Run a command."""
    from trailhound import cli  # noqa: PLC0415 - takes a second, which each of our processes would take anew

    cli.main()


if __name__ == "__main__":
    main()
