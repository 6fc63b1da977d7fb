"""The ports of a peer, by name."""

import time
from collections.abc import Callable

import memlane
from form import Form
from options import lane, publisher_options, subscriber_options
from verbs import Verb

STATISTICS = ("sent", "received", "dropped", "waiting", "held", "bytes", "peers")


class Ports:
    """The publishers and subscribers that are open, and what can be asked of them."""

    def __init__(self) -> None:
        self.publishers: dict[str, memlane.Publisher] = {}
        self.subscribers: dict[str, memlane.Subscriber] = {}
        self.verbs: dict[str, Verb] = {
            "open-publisher": self._open_publisher,
            "open-subscriber": self._open_subscriber,
            "close": self._close,
            "discard": self._discard,
            "wait-for-subscribers": self._wait_for_subscribers,
            "wait-for-publishers": self._wait_for_publishers,
            "wait-for-any": self._wait_for_any,
            "flush": self._flush,
            "stats": self._stats,
            "await-stats": self._await_stats,
        }

    def publisher(self, step: Form, field: str = "port") -> memlane.Publisher:
        """Return the publisher that a step means."""
        return self.publishers[step.find(field) or "main"]

    def subscriber(self, step: Form, field: str = "port") -> memlane.Subscriber:
        """Return the subscriber that a step means."""
        return self.subscribers[step.find(field) or "main"]

    def port(self, step: Form) -> memlane.Publisher | memlane.Subscriber:
        """Return the port that a step means."""
        return self._named(step.find("port") or "main")

    def _named(self, name: str) -> memlane.Publisher | memlane.Subscriber:
        return self.publishers.get(name) or self.subscribers[name]

    def clear(self) -> None:
        """Close them, and forget them."""
        for port in [*self.publishers.values(), *self.subscribers.values()]:
            port.close()
        self.publishers.clear()
        self.subscribers.clear()

    def _open_publisher(self, step: Form, reply: Form) -> None:
        """Open a publisher."""
        port = memlane.Publisher(lane(step), **publisher_options(step))
        self.publishers[step.find("as") or "main"] = port
        reply.add("name", port.name)

    def _open_subscriber(self, step: Form, reply: Form) -> None:
        """Open a subscriber."""
        port = memlane.Subscriber(lane(step), **subscriber_options(step))
        self.subscribers[step.find("as") or "main"] = port
        reply.add("name", port.name)

    def _close(self, step: Form, _: Form) -> None:
        """Close a port."""
        self.port(step).close()

    def _discard(self, step: Form, _: Form) -> None:
        """Close a port, and forget it."""
        self.port(step).close()
        self.publishers.pop(step.text("port"), None)
        self.subscribers.pop(step.text("port"), None)

    def _wait_for_subscribers(self, step: Form, reply: Form) -> None:
        """Wait until that many are there."""
        n, timeout = step.integer("n", 1), step.seconds("timeout")
        timed(reply, lambda: self.publisher(step).wait_for_subscribers(n, timeout=timeout))

    def _wait_for_publishers(self, step: Form, reply: Form) -> None:
        """Wait until that many are there."""
        n, timeout = step.integer("n", 1), step.seconds("timeout")
        timed(reply, lambda: self.subscriber(step).wait_for_publishers(n, timeout=timeout))

    def _wait_for_any(self, step: Form, reply: Form) -> None:
        """Wait until one of several ports is ready."""
        among = [self._named(name) for name in step.all("among")]
        timed(reply, lambda: memlane.wait(among, step.seconds("timeout")) != [])

    def _flush(self, step: Form, reply: Form) -> None:
        """Wait until everything sent was taken and released."""
        timed(reply, lambda: self.publisher(step).flush(timeout=step.seconds("timeout")))

    def _stats(self, step: Form, reply: Form) -> None:
        """Tell what a port tells of itself."""
        stats = self.port(step).stats()
        for name in stats._fields:
            reply.add(name.replace("_", "-"), getattr(stats, name))

    def _await_stats(self, step: Form, reply: Form) -> None:
        """Wait until every statistic that the step names has the value it gives, or the time is over."""
        wanted = [(name, step.text(name)) for name in STATISTICS if step.find(name) is not None]
        deadline = time.monotonic() + (step.seconds("timeout") or 0)
        while True:
            now = Form()
            self._stats(step, now)
            if all(now.find(name) == value for name, value in wanted) or time.monotonic() > deadline:
                reply.fields += now.fields
                return
            time.sleep(0.002)


def timed(reply: Form, call: Callable[[], bool]) -> None:
    """Answer what a call returns, and how long it took."""
    begin = time.monotonic()
    reply.add("value", call())
    reply.add("elapsed", (time.monotonic() - begin) * 1000)
