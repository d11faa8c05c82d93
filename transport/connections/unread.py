"""What clients have not read yet: bounded in bytes over all connections of a process, as each may be slow for long."""

from asyncio import Transport

MAX_UNREAD_BYTES = 128 * 1024 * 1024
"""Two thousand answers as long as there may be would be 5 GB."""


class Unread:
    def __init__(self) -> None:
        self.total = 0
        self._bytes: dict[Transport, int] = {}

    def hold(self, transport: Transport, free: int = 0) -> int:
        """Notes what is unsent, and gives it; `free` bytes of it do not count.

        Where it is too much in all, who has left most is cut off: who waits for a small answer gets it.
        """
        self.release(transport)
        unsent = transport.get_write_buffer_size()
        self._bytes[transport] = max(0, unsent - free)
        self.total += self._bytes[transport]
        if self.total > MAX_UNREAD_BYTES:
            greediest = max(self._bytes, key=self._bytes.__getitem__)
            self.release(greediest)
            greediest.abort()
        return unsent

    def release(self, transport: Transport) -> None:
        self.total -= self._bytes.pop(transport, 0)


UNREAD = Unread()
"""Of the process."""
