"""Python's cyclic garbage collector in a process that holds much for long, and is asked much.

With the collector's own thresholds it walks through the whole program all the time under load, and every request
waits for it (docs/performance.md, Accepting).
"""

import gc


def freeze_startup_objects(*, thresholds: tuple[int, int, int]) -> None:
    """From now on the collector leaves alone what is in memory, and looks at the rest in larger portions.

    Call it once, when the process is put together. Cycles that are made later are still collected. `thresholds` are
    those of `gc.set_threshold`: how many allocations, and collections of each generation, come before the next.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
