"""What a peer takes, and the samples that it holds."""

import ctypes
import time
from dataclasses import dataclass

import memlane
import numpy as np
from buffers import flat
from elements import check_elements
from form import Form
from options import optional_integer
from payload import sum_up
from ports import Ports
from verbs import Verb


@dataclass
class Run:
    """What was received from one publisher, where there is too much to list."""

    first: int
    last: int
    count: int = 0
    gapless: bool = True
    crc: int = 0  # of all payloads, one after the other


class Receiving:
    """Takes samples, describes them, and keeps or releases them."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._held: dict[str, list[memlane.Sample]] = {}
        self._runs: dict[str, Run] = {}
        self.verbs: dict[str, Verb] = {
            "take": self._take,
            "look": self._look,
            "release": self._release,
            "scribble": self._scribble,
        }

    def clear(self) -> None:
        """Release what is held."""
        for sample in (sample for samples in self._held.values() for sample in samples):
            sample.release()
        self._held.clear()

    def _take(self, step: Form, reply: Form) -> None:
        """Take samples until there are enough, the time is over, or the loop ends."""
        port = self._ports.subscriber(step)
        count = optional_integer(step, "count")
        via = step.find("via") or "take"
        taken = 0
        begin = time.monotonic()
        if via == "take":
            while taken != count:
                sample = port.take(timeout=step.seconds("timeout"))
                if sample is None:
                    break
                taken += 1
                self._receive(sample, step, reply)
        elif count != 0:
            for sample in port.samples(until_idle=True) if via == "until-idle" else port:
                taken += 1
                self._receive(sample, step, reply)
                if taken == count:
                    break
        reply.add("elapsed", (time.monotonic() - begin) * 1000)
        for sender, run in self._runs.items():
            line = Form()
            for name, value in {"sender": sender, **vars(run)}.items():
                line.add(name, value)
            reply.add("run", line.line())
        self._runs.clear()

    def _receive(self, sample: memlane.Sample, step: Form, reply: Form) -> None:
        """Look at a sample, and keep it or let it go."""
        if step.find("report") == "runs":
            run = self._runs.setdefault(sample.sender.label, Run(sample.sequence, sample.sequence - 1))
            run.gapless = run.gapless and sample.sequence == run.last + 1
            run.last = sample.sequence
            run.count += 1
            run.crc = sum_up(flat(sample), 0, run.crc)
        else:
            reply.add("sample", describe(sample, step))
        hold = step.find("hold")
        if hold is None:
            sample.release()
        else:
            self._held.setdefault(hold, []).append(sample)

    def _look(self, step: Form, reply: Form) -> None:
        """Look again at samples that are held: their payloads are still what they were."""
        for sample in self._held[step.text("hold")]:
            reply.add("sample", describe(sample, step))

    def _release(self, step: Form, _: Form) -> None:
        """Release samples."""
        for sample in self._held[step.text("hold")]:
            sample.release()

    def _scribble(self, step: Form, _: Form) -> None:
        """Write where only the sender may: as PyTorch does, which asks for DLPack and ignores that it is read-only."""
        for sample in self._held[step.text("hold")]:
            array = np.from_dlpack(sample)
            ctypes.memset(array.ctypes.data, 0xFF, array.nbytes)


def describe(sample: memlane.Sample, step: Form) -> str:
    """Return all that there is to tell of a sample, as one line."""
    line = Form()
    line.add("sender", sample.sender.label)
    line.add("pid", sample.sender.pid)
    line.add("sequence", sample.sequence)
    line.add("bytes", sample.nbytes)
    line.add("crc", sum_up(flat(sample), step.integer("stride", 0)))
    line.add("dtype", str(sample.dtype))
    for extent in sample.shape:
        line.add("shape", extent)
    line.add("encoding", sample.encoding)
    line.add("header", sample.user_header.hex())
    line.add("sent-time", sample.sent_time * 1000)
    line.add("received-time", sample.received_time * 1000)
    if step.find("elements") is not None:
        line.add("elements", check_elements(np.asarray(sample), str(sample.dtype), tuple(sample.shape)))
    return line.line()
