"""The Python peer of the conformance suite: plays any role by doing the steps it is sent. The steps: ../PROTOCOL.md."""

import os
import sys
from pathlib import Path

import memlane
from form import Form
from leaving import Leaving
from meeting import Meeting
from ports import Ports
from receiving import Receiving
from sending import Sending
from soak import Soak
from verbs import Verb


class Peer:
    """Does steps, one after the other."""

    def __init__(self) -> None:
        self._leaving = Leaving()
        self._ports = Ports()
        self._sending = Sending(self._ports, self._leaving)
        self._receiving = Receiving(self._ports)
        self._meeting = Meeting(self._ports)
        self._soak = Soak(self._ports)
        self._verbs: dict[str, Verb] = {
            **self._ports.verbs,
            **self._sending.verbs,
            **self._receiving.verbs,
            **self._meeting.verbs,
            **self._soak.verbs,
            "hello": self._hello,
            "in-child": self._in_child,
            "exit": self._exit,
            "reset": self._reset,
        }

    @property
    def is_leaving(self) -> bool:
        """Whether the program is to return from main."""
        return self._leaving.has_begun

    def execute(self, step: Form) -> Form:
        """Do one step. An error is an answer too."""
        self._sending.progress = None
        reply = Form()
        try:
            self._verb(step)(step, reply)
        except memlane.Error as error:
            reply = self._failure(error.code, str(error))
            reply.add("error-lane", error.lane)
        except Exception as error:
            reply = self._failure("unexpected", f"{type(error).__name__}: {error}")
        return reply

    def _verb(self, step: Form) -> Verb:
        name = step.text("do")
        if name not in self._verbs:
            raise KeyError(f"this peer knows no step `{name}`")
        return self._verbs[name]

    def _failure(self, code: str, message: str) -> Form:
        return Form.of(error=code, message=message, sent=self._sending.progress)

    def _hello(self, _: Form, reply: Form) -> None:
        """Say who this is."""
        reply.add("language", "python")
        reply.add("version", memlane.__version__)
        reply.add("pid", os.getpid())

    def _in_child(self, step: Form, reply: Form) -> None:
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

    def _exit(self, step: Form, _: Form) -> None:
        """Leave."""
        self._leaving.leave(step.find("how") or "return")

    def _reset(self, _: Form, reply: Form) -> None:
        """Let go of everything, and tell what is still open in the process."""
        self._receiving.clear()
        self._soak.clear()
        self._sending.clear()
        self._ports.clear()
        reply.add("descriptors", len(list(Path("/proc/self/fd").iterdir())) - 1)  # without the one that looks


def main() -> None:
    """Do the steps that come in as lines; answer each in a line."""
    peer = Peer()
    for text in sys.stdin:
        step = Form(text.rstrip("\n"))
        reply = peer.execute(step)
        if peer.is_leaving:
            break
        reply.add("id", step.find("id") or "")
        print(reply.line(), flush=True)


main()
