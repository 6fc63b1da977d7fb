"""Others who come by: to die, or to be late."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .ledger import Broken
from .places import PEER_COMMANDS, VICTIM
from .process import Peer, PeerGone, eventually
from .samples import Samples


class Company(Samples):
    """Somebody else's death, and the names that the dead leave."""

    def somebody(self, command: list[str], name: str, **options: Any) -> Peer:
        """A process that ends with the stage at the latest."""
        peer = Peer(self.access.command(command), name, user=self.access.others, **options)
        self.corpses.append(peer)
        return peer

    def dies_at(self, fault: str, role: str, lane: str) -> None:
        """Somebody who dies at a fault point as he joins."""
        peer = self.somebody([str(VICTIM)], "D", env={"MEMLANE_FAULT": f"{fault}:kill"})
        with contextlib.suppress(PeerGone):
            peer.ask(f"open-{role}", **{**self.where("D"), "lane": lane})
        if peer.wait() != -signal.SIGKILL:
            raise Broken("somebody has not died where he should have")

    def mortal(self, lane: str, *roles: str) -> Peer:
        """Somebody with ports of those kinds, who will be killed later."""
        peer = self.somebody(PEER_COMMANDS["cpp"], "M")
        for role in roles:
            peer.ask(f"open-{role}", **{**self.where("M"), "lane": lane, "as": role})
        return peer

    def late_caller(self, role: str, meanwhile: Callable[[], object]) -> None:
        """Somebody looks who is in the lane, stands still meanwhile, and calls whom he has seen."""
        report, report_end = os.pipe()
        env = {"MEMLANE_FAULT": "lane.looked-at:1:stop", "MEMLANE_FAULT_REPORT": str(report_end)}
        peer = self.somebody([str(VICTIM)], "L", env=env, pass_fds=(report_end,))
        os.close(report_end)
        peer.start(f"open-{role}", **self.where("L"), join_timeout=10000)
        os.read(report, 100)
        os.close(report)
        if not eventually(peer.is_frozen):
            raise Broken("the late caller does not stand still")
        try:
            meanwhile()
        finally:
            peer.signal(signal.SIGCONT)
        if peer.finish(watch=lambda: bool(self.watch() and False)).find("error") is not None:
            raise Broken("who calls a port that has gone must not fail")
        self.watch()
        peer.ask("reset")

    def until_one_is_left(self, *kinds: str) -> None:
        """Wait until only one name of each kind is left, anywhere, or the victim is over."""

        def one_is_left() -> bool:
            names = [name.rpartition("/")[2] for name in self.names()]
            return all(sum(name.lstrip(".").startswith(kind) for name in names) <= 1 for kind in kinds)

        opened = set(self.opened)

        def nothing_to_wait_for() -> bool:
            # A freeze may have let the others in.
            return self.watch() or self.is_doomed() or self.opened != opened or one_is_left()

        if not eventually(nothing_to_wait_for):
            raise Broken(f"nobody has removed the names of the dead: {self.names()}")

    def names(self) -> list[str]:
        """All names in the lane directory."""
        found = []
        for folder, folders, files in os.walk(self.directory):  # tolerates what vanishes
            found += [os.path.relpath(Path(folder) / name, self.directory) for name in (*folders, *files)]
        return sorted(found)
