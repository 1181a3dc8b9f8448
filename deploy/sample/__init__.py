"""How the bundled sample is made; see the README beside this file."""
