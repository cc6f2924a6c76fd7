"""nbclient can lose a wake-up: wait for the kernel in short slices.

While nbclient mirrors an ipywidgets `Output` (what `interact` makes), two readers share one ZeroMQ socket and one of
them can take the edge-triggered readiness that the other waits for.  The message lies there, the waiting reader
sleeps on until the cell's whole timeout.  Asked again every half second, it finds the message.
"""

from functools import wraps
from queue import Empty
from time import monotonic

from jupyter_client.channels import AsyncZMQSocketChannel

SLICE = 0.5  # seconds


def in_short_slices(get_msg):
    @wraps(get_msg)
    async def patient(self, timeout=None):
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            left = SLICE if deadline is None else min(SLICE, max(0.0, deadline - monotonic()))
            try:
                return await get_msg(self, timeout=left)
            except Empty:
                if deadline is not None and monotonic() >= deadline:
                    raise

    return patient


def poll_in_short_slices():
    """Idempotent, and for this process only."""
    if not hasattr(AsyncZMQSocketChannel.get_msg, "__wrapped__"):
        AsyncZMQSocketChannel.get_msg = in_short_slices(AsyncZMQSocketChannel.get_msg)
