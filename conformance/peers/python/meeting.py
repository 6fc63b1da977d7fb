"""Ports that call each other as soon as they have met."""

import memlane
from form import Form
from options import lane, subscriber_options
from ports import Ports
from verbs import Verb


class Meeting:
    """Calls whoever is there, and answers whoever calls."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.verbs: dict[str, Verb] = {
            "join-and-call": self._join_and_call,
            "answer": self._answer,
        }

    def _join_and_call(self, step: Form, reply: Form) -> None:
        """Join, and in the same breath call for a sample: whoever answers sends after this constructor has returned."""
        back = self._ports.publisher(step)
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

    def _answer(self, step: Form, reply: Form) -> None:
        """Answer each of `count` calls with a sample that carries the call's nonce."""
        port = self._ports.publisher(step)
        calls = self._ports.subscriber(step, "calls")
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
