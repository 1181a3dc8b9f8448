"""What is written to a terminal."""


def visible(text: str) -> str:
    """Keep what a log, a feed or a file name says from being a command to the terminal."""
    return "".join(char if char.isprintable() else _escaped(ord(char)) for char in text)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
