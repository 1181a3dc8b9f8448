"""Which sensor writes a file."""

import os
from pathlib import Path

from trailhound.commands import prepare
from trailhound.settings import Settings


def sensor_of(settings: Settings, *paths: Path) -> str:
    """Give the sensor of the first folder of the settings that holds one of the paths, else the name of this host."""
    for path in paths:
        real = Path(os.path.realpath(path))
        for folder in settings.logs.folders:
            if path.is_relative_to(folder.path) or real.is_relative_to(os.path.realpath(folder.path)):
                return folder.sensor or prepare.sensor_name()
    return prepare.sensor_name()
