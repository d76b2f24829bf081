"""What engine.py asks of a process that runs a network, with any engine."""

import json
import resource
import sys
import time
from collections.abc import Callable


def answer_passes(run: Callable[[], None], **facts: object) -> None:
    """Runs once; then as often as each number on stdin says, and prints seconds, peak memory and `facts`."""
    run()
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": times, "peak_mib": peak, **facts}), flush=True)
