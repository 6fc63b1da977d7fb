"""The Python peer of the conformance suite: plays any role by doing the steps it is sent. The steps: ../PROTOCOL.md."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import memlane
import numpy as np
from elements import check_elements, elements
from payload import sum_up, write
from soak import Soak

STATISTICS = ("sent", "received", "dropped", "waiting", "held", "bytes", "peers")


class Form:
    """The fields of a step or of a reply."""

    def __init__(self, line: str = "") -> None:
        self.fields = parse_qsl(line, keep_blank_values=True, strict_parsing=bool(line))

    def add(self, name: str, value: object) -> None:
        """Add a field; one name may stand several times."""
        self.fields.append((name, str(value).lower() if isinstance(value, bool) else str(value)))

    def all(self, name: str) -> list[str]:
        """Return every value of a field."""
        return [value for each, value in self.fields if each == name]

    def find(self, name: str) -> str | None:
        """Return the value of a field that may be missing."""
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str:
        """Return the value of a field that must be there."""
        value = self.find(name)
        if value is None:
            raise KeyError(f"the step lacks `{name}`")
        return value

    def line(self) -> str:
        """Return the fields as one line."""
        return urlencode(self.fields)

    def integer(self, name: str, otherwise: int | None = None) -> int:
        """Return a number of a field, or what it is otherwise."""
        return int(self.text(name)) if otherwise is None or self.find(name) is not None else otherwise

    def seconds(self, name: str) -> float | None:
        """Return a time, which is given in milliseconds; None: it is not given."""
        value = self.find(name)
        return None if value is None else float(value) / 1000


def given(**options: Any) -> dict[str, Any]:
    """Return the options that are given."""
    return {name: value for name, value in options.items() if value is not None}


def lane(step: Form) -> str | int:
    """Return the lane that a step means, by its name or by its key."""
    key = step.find("key")
    return step.text("lane") if key is None else int(key)


def optional_integer(step: Form, name: str) -> int | None:
    """Return a number that may be missing."""
    return None if step.find(name) is None else step.integer(name)


def subscriber_options(step: Form) -> dict[str, Any]:
    """Return the options of a subscriber that a step gives."""
    return given(
        depth=optional_integer(step, "depth"),
        overflow=step.find("overflow"),
        join_timeout=step.seconds("join-timeout"),
        label=step.find("label"),
        directory=step.text("directory"),
        group=step.find("group"),
        spin=step.seconds("spin"),
    )


def shape_of(step: Form) -> tuple[int, ...]:
    """Return the shape that a step gives."""
    return tuple(int(extent) for extent in step.all("shape"))


def flat(buffer: Any) -> memoryview:
    """Return the bytes of a loan or sample, one by one, whatever its shape."""
    return np.asarray(buffer).reshape(-1).view(np.uint8).data


@dataclass
class Run:
    """What was received from one publisher, where there is too much to list."""

    first: int
    last: int
    count: int = 0
    gapless: bool = True
    crc: int = 0  # of all payloads, one after the other


class Peer:
    """Does steps, one after the other."""

    def __init__(self) -> None:
        self.publishers: dict[str, memlane.Publisher] = {}
        self.subscribers: dict[str, memlane.Subscriber] = {}
        self.loans: dict[str, memlane.Loan] = {}
        self.held: dict[str, list[memlane.Sample]] = {}
        self.runs: dict[str, Run] = {}
        self.soak = Soak()
        self.progress: int | None = None  # samples that a send has sent so far
        self.leaving = False

    def execute(self, step: Form) -> Form:
        """Do one step. An error is an answer too."""
        self.progress = None
        reply = Form()
        try:
            verb: Callable[[Form, Form], None] = getattr(self, "do_" + step.text("do").replace("-", "_"))
            verb(step, reply)
        except memlane.Error as error:
            reply = self._failure(error.code, str(error))
            reply.add("error-lane", error.lane)
        except Exception as error:
            reply = self._failure("unexpected", f"{type(error).__name__}: {error}")
        return reply

    def _failure(self, code: str, message: str) -> Form:
        reply = Form()
        reply.add("error", code)
        reply.add("message", message)
        if self.progress is not None:
            reply.add("sent", self.progress)
        return reply

    # ---- ports ----

    def do_hello(self, _: Form, reply: Form) -> None:
        """Say who this is."""
        reply.add("language", "python")
        reply.add("version", memlane.__version__)
        reply.add("pid", os.getpid())

    def do_open_publisher(self, step: Form, reply: Form) -> None:
        """Open a publisher."""
        options = given(
            history=optional_integer(step, "history"),
            memory_budget=optional_integer(step, "budget"),
            max_held=optional_integer(step, "max-held"),
            send_timeout=step.seconds("send-timeout"),
            checksum=step.find("checksum") == "true",
            join_timeout=step.seconds("join-timeout"),
            label=step.find("label"),
            directory=step.text("directory"),
            group=step.find("group"),
            spin=step.seconds("spin"),
        )
        port = memlane.Publisher(lane(step), **options)
        self.publishers[step.find("as") or "main"] = port
        reply.add("name", port.name)

    def do_open_subscriber(self, step: Form, reply: Form) -> None:
        """Open a subscriber."""
        port = memlane.Subscriber(lane(step), **subscriber_options(step))
        self.subscribers[step.find("as") or "main"] = port
        reply.add("name", port.name)

    def do_close(self, step: Form, _: Form) -> None:
        """Close a port."""
        self.port(step).close()

    def do_wait_for_subscribers(self, step: Form, reply: Form) -> None:
        """Wait until that many are there."""
        n, timeout = step.integer("n", 1), step.seconds("timeout")
        self.timed(reply, lambda: self.publisher(step).wait_for_subscribers(n, timeout=timeout))

    def do_wait_for_publishers(self, step: Form, reply: Form) -> None:
        """Wait until that many are there."""
        n, timeout = step.integer("n", 1), step.seconds("timeout")
        self.timed(reply, lambda: self.subscriber(step).wait_for_publishers(n, timeout=timeout))

    def do_flush(self, step: Form, reply: Form) -> None:
        """Wait until everything sent was taken and released."""
        self.timed(reply, lambda: self.publisher(step).flush(timeout=step.seconds("timeout")))

    def do_stats(self, step: Form, reply: Form) -> None:
        """Tell what a port tells of itself."""
        stats = self.port(step).stats()
        for name in stats._fields:
            reply.add(name.replace("_", "-"), getattr(stats, name))

    def do_await_stats(self, step: Form, reply: Form) -> None:
        """Wait until every statistic that the step names has the value it gives, or the time is over."""
        wanted = [(name, step.text(name)) for name in STATISTICS if step.find(name) is not None]
        deadline = time.monotonic() + (step.seconds("timeout") or 0)
        while True:
            now = Form()
            self.do_stats(step, now)
            if all(now.find(name) == value for name, value in wanted) or time.monotonic() > deadline:
                reply.fields += now.fields
                return
            time.sleep(0.002)

    # ---- sending ----

    def do_reserve(self, step: Form, _: Form) -> None:
        """Make memory ready."""
        self.publisher(step).reserve(step.integer("bytes"), step.integer("count", 1))

    def do_send(self, step: Form, reply: Form) -> None:
        """Send samples."""
        port = self.publisher(step)
        sizes = [int(size) for size in step.all("bytes")]
        count = step.integer("count", max(1, len(sizes)))
        seed = step.integer("seed", 0)
        self.progress = 0
        reached: int | None = 0
        for i in range(count):
            reached = self.send_one(port, step, sizes[i % len(sizes)] if sizes else 0, seed + i)
            if reached is None:
                break
            self.progress = i + 1
        how = step.find("then-exit")
        if how is not None:
            self.leave(how)
        reply.add("sent", self.progress)
        reply.add("reached", "none" if reached is None else reached)

    def send_one(self, port: memlane.Publisher, step: Form, size: int, seed: int) -> int | None:
        """Send one sample; return how many it went to, or None if there was no room and it did not wait."""
        how = step.find("how") or "loan"
        stride = step.integer("stride", 0)
        header = step.find("header")
        info = given(encoding=step.find("encoding"), user_header=None if header is None else bytes.fromhex(header))
        dtype = step.find("dtype")
        if how == "copy":
            # NumPy has no bfloat16: there only a loan can be of that dtype.
            if dtype is not None and dtype != "bfloat16":
                return port.send(elements(dtype, shape_of(step)), **info)
            if dtype is None:
                data = bytearray(size)
                write(memoryview(data), seed, stride)
                return port.send(data, **info)
        loan = port.loan(size, None) if dtype is None else port.loan(shape_of(step), dtype)
        if dtype is None:
            write(flat(loan), seed, stride)
        else:
            np.asarray(loan)[...] = elements(dtype, shape_of(step))
        if how == "try":
            reached = port.try_send(loan, **info)
            if reached is None:
                loan.give_up()
            return reached
        timeout = given(timeout=step.seconds("timeout"))
        try:
            return port.send(loan, **info, **timeout)
        except memlane.Error:
            loan.give_up()
            raise

    def do_loan(self, step: Form, _: Form) -> None:
        """Take a loan, and keep it under a name."""
        port = self.publisher(step)
        if step.find("dtype") is not None or step.find("shape") is not None:
            loan = port.loan(shape_of(step), step.find("dtype"))
        else:
            loan = port.loan(step.integer("bytes"), None)
        if step.find("seed") is not None:
            write(flat(loan), step.integer("seed"), 0)
        self.loans[step.text("loan")] = loan

    def do_write_loan(self, step: Form, _: Form) -> None:
        """Write into a loan."""
        np.asarray(self.loans[step.text("loan")])[...] = 0

    def do_send_loan(self, step: Form, reply: Form) -> None:
        """Send a loan."""
        reply.add("sent", 1)
        reply.add("reached", self.loans[step.text("loan")].send())

    def do_give_up(self, step: Form, _: Form) -> None:
        """Give up a loan."""
        self.loans[step.text("loan")].give_up()

    # ---- receiving ----

    def do_take(self, step: Form, reply: Form) -> None:
        """Take samples until there are enough, the time is over, or the loop ends."""
        port = self.subscriber(step)
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
                self.receive(sample, step, reply)
        elif count != 0:
            for sample in port.samples(until_idle=True) if via == "until-idle" else port:
                taken += 1
                self.receive(sample, step, reply)
                if taken == count:
                    break
        reply.add("elapsed", (time.monotonic() - begin) * 1000)
        for sender, run in self.runs.items():
            line = Form()
            for name, value in {"sender": sender, **vars(run)}.items():
                line.add(name, value)
            reply.add("run", line.line())
        self.runs.clear()

    def receive(self, sample: memlane.Sample, step: Form, reply: Form) -> None:
        """Look at a sample, and keep it or let it go."""
        if step.find("report") == "runs":
            run = self.runs.setdefault(sample.sender.label, Run(sample.sequence, sample.sequence - 1))
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
            self.held.setdefault(hold, []).append(sample)

    def do_look(self, step: Form, reply: Form) -> None:
        """Look again at samples that are held: their payloads are still what they were."""
        for sample in self.held[step.text("hold")]:
            reply.add("sample", describe(sample, step))

    def do_release(self, step: Form, _: Form) -> None:
        """Release samples."""
        for sample in self.held[step.text("hold")]:
            sample.release()

    def do_scribble(self, step: Form, _: Form) -> None:
        """Write where only the sender may: as PyTorch does, which asks for DLPack and ignores that it is read-only."""
        for sample in self.held[step.text("hold")]:
            array = np.from_dlpack(sample)
            ctypes.memset(array.ctypes.data, 0xFF, array.nbytes)

    # ---- many samples ----

    def do_soak_send(self, step: Form, reply: Form) -> None:
        """Send many samples that can be checked where they arrive."""
        sizes = [int(size) for size in step.all("bytes")]
        count, patience = step.integer("count"), step.seconds("timeout") or 0.0
        port = self.publisher(step)
        for name, value in Soak.send(port, step.integer("id"), count, sizes, step.text("how"), patience):
            reply.add(name, value)

    def do_soak_take(self, step: Form, reply: Form) -> None:
        """Take many such samples, and check each."""
        count, keep, patience = step.integer("count"), step.integer("keep", 0), step.seconds("timeout") or 0.0
        via, fault = step.find("via") or "take", step.find("fault") or ""
        for name, value in self.soak.take(self.subscriber(step), count, keep, patience, via, fault):
            reply.add(name, value)

    def do_soak_release(self, step: Form, reply: Form) -> None:
        """Let go of such samples that were kept."""
        for name, value in self.soak.release(step.integer("count")):
            reply.add(name, value)

    def do_discard(self, step: Form, _: Form) -> None:
        """Close a port, and forget it."""
        self.port(step).close()
        self.publishers.pop(step.text("port"), None)
        self.subscribers.pop(step.text("port"), None)

    # ---- meeting ----

    def do_join_and_call(self, step: Form, reply: Form) -> None:
        """Join, and in the same breath call for a sample: whoever answers sends after this constructor has returned."""
        back = self.publisher(step)
        nonce = bytes.fromhex(step.text("nonce"))
        wanted = step.integer("count")
        answers = 0
        with memlane.Subscriber(lane(step), **subscriber_options(step)) as joined:
            back.send(b"", user_header=nonce)
            while answers < wanted:
                sample = joined.take(timeout=step.seconds("timeout"))
                if sample is None:
                    break
                answers += sample.user_header == nonce
                sample.release()
        reply.add("answers", answers)

    def do_answer(self, step: Form, reply: Form) -> None:
        """Answer each of `count` calls with a sample that carries the call's nonce."""
        port = self.publisher(step)
        calls = self.subscribers[step.text("calls")]
        count = step.integer("count")
        answered = 0
        while answered < count:
            call = calls.take(timeout=step.seconds("timeout"))
            if call is None:
                break
            port.send(b"", user_header=call.user_header)
            call.release()
            answered += 1
        reply.add("answered", answered)

    # ---- the process ----

    def do_in_child(self, step: Form, reply: Form) -> None:
        """Do a step in a forked child, and answer what the child would have."""
        receiving, sending = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(sending, self.execute(Form(step.text("command"))).line().encode())
            self.execute(Form("do=reset"))  # the child leaves as it should, and nothing of the parent with it
            os._exit(0)
        os.close(sending)
        with os.fdopen(receiving) as pipe:
            line = pipe.read()
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise RuntimeError(f"the child ended with status {status}")
        reply.fields += Form(line).fields

    def do_exit(self, step: Form, _: Form) -> None:
        """Leave."""
        self.leave(step.find("how") or "return")

    def leave(self, how: str) -> None:
        """End the process in the middle of things, or by returning from the program with its ports open."""
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "at-once":
            os._exit(0)
        self.leaving = True

    def do_reset(self, _: Form, reply: Form) -> None:
        """Let go of everything, and tell what is still open in the process."""
        for sample in (sample for samples in self.held.values() for sample in samples):
            sample.release()
        self.soak.clear()
        for loan in self.loans.values():
            loan.give_up()
        for port in [*self.publishers.values(), *self.subscribers.values()]:
            port.close()
        self.held.clear()
        self.loans.clear()
        self.publishers.clear()
        self.subscribers.clear()
        reply.add("descriptors", len(list(Path("/proc/self/fd").iterdir())) - 1)  # without the one that looks

    # ---- finding ----

    def publisher(self, step: Form) -> memlane.Publisher:
        """Return the publisher that a step means."""
        return self.publishers[step.find("port") or "main"]

    def subscriber(self, step: Form) -> memlane.Subscriber:
        """Return the subscriber that a step means."""
        return self.subscribers[step.find("port") or "main"]

    def port(self, step: Form) -> memlane.Publisher | memlane.Subscriber:
        """Return the port that a step means."""
        return self.publishers.get(step.find("port") or "main") or self.subscriber(step)

    @staticmethod
    def timed(reply: Form, call: Callable[[], bool]) -> None:
        """Answer what a call returns, and how long it took."""
        begin = time.monotonic()
        reply.add("value", call())
        reply.add("elapsed", (time.monotonic() - begin) * 1000)


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


def main() -> None:
    """Do the steps that come in as lines; answer each in a line."""
    peer = Peer()
    for text in sys.stdin:
        step = Form(text.rstrip("\n"))
        reply = peer.execute(step)
        if peer.leaving:
            break
        reply.add("id", step.find("id") or "")
        print(reply.line(), flush=True)


main()
