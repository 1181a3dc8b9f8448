"""`python -m trailhound`."""

from trailhound.cli import main

if __name__ == "__main__":
    main()
