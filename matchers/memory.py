"""Which occasions were reported already, as far back as a bounded memory goes."""

from collections import OrderedDict

from matchers.observer import Repeat, Sighting

CAPACITY = 65_536


class Occasions:
    """Remembers (occasion, trail) pairs and who brought each; forgets the stalest when it is full."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._brought_by: OrderedDict[tuple[str, str], Repeat] = OrderedDict()

    def counts(self, sighting: Sighting, trail: str) -> bool:
        """Tell whether a sighting of a trail counts, and remember it."""
        if sighting.repeat is Repeat.ALWAYS:
            return True
        occasion = (sighting.occasion, trail)
        known = self._brought_by.get(occasion)
        if known is None:
            self._brought_by[occasion] = sighting.repeat
            if len(self._brought_by) > self._capacity:
                self._brought_by.popitem(last=False)
            return True
        self._brought_by.move_to_end(occasion)
        if sighting.repeat is Repeat.OPENS:
            self._brought_by[occasion] = Repeat.OPENS
            return known is not Repeat.PREVIEW
        return sighting.repeat is Repeat.CLOSES and known is Repeat.CLOSES
