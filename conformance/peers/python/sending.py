"""What a peer sends, and its loans."""

import memlane
import numpy as np
from buffers import flat
from elements import elements
from form import Form
from leaving import Leaving
from options import given, shape_of
from payload import write
from ports import Ports
from verbs import Verb


class Sending:
    """Sends samples and loans."""

    def __init__(self, ports: Ports, leaving: Leaving) -> None:
        self._ports = ports
        self._leaving = leaving
        self._loans: dict[str, memlane.Loan] = {}
        self.progress: int | None = None  # samples that the step at hand has sent so far, if it sends
        self.verbs: dict[str, Verb] = {
            "reserve": self._reserve,
            "send": self._send,
            "loan": self._loan,
            "write-loan": self._write_loan,
            "send-loan": self._send_loan,
            "give-up": self._give_up,
        }

    def clear(self) -> None:
        """Give up what is not sent."""
        for loan in self._loans.values():
            loan.give_up()
        self._loans.clear()

    def _reserve(self, step: Form, _: Form) -> None:
        """Make memory ready."""
        self._ports.publisher(step).reserve(step.integer("bytes"), step.integer("count", 1))

    def _send(self, step: Form, reply: Form) -> None:
        """Send samples."""
        port = self._ports.publisher(step)
        sizes = [int(size) for size in step.all("bytes")]
        count = step.integer("count", max(1, len(sizes)))
        seed = step.integer("seed", 0)
        self.progress = 0
        reached: int | None = 0
        for i in range(count):
            reached = self._send_one(port, step, sizes[i % len(sizes)] if sizes else 0, seed + i)
            if reached is None:
                break
            self.progress = i + 1
        how = step.find("then-exit")
        if how is not None:
            self._leaving.leave(how)
        reply.add("sent", self.progress)
        reply.add("reached", "none" if reached is None else reached)

    def _send_one(self, port: memlane.Publisher, step: Form, size: int, seed: int) -> int | None:
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

    def _loan(self, step: Form, _: Form) -> None:
        """Take a loan, and keep it under a name."""
        port = self._ports.publisher(step)
        if step.find("dtype") is not None or step.find("shape") is not None:
            loan = port.loan(shape_of(step), step.find("dtype"))
        else:
            loan = port.loan(step.integer("bytes"), None)
        if step.find("seed") is not None:
            write(flat(loan), step.integer("seed"), 0)
        self._loans[step.text("loan")] = loan

    def _write_loan(self, step: Form, _: Form) -> None:
        """Write into a loan."""
        np.asarray(self._loans[step.text("loan")])[...] = 0

    def _send_loan(self, step: Form, reply: Form) -> None:
        """Send a loan."""
        reply.add("sent", 1)
        reply.add("reached", self._loans[step.text("loan")].send())

    def _give_up(self, step: Form, _: Form) -> None:
        """Give up a loan."""
        self._loans[step.text("loan")].give_up()
