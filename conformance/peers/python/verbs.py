"""What a peer can do, by the names of the steps. Each part of it has its own."""

from collections.abc import Callable

from form import Form

Verb = Callable[[Form, Form], None]  # a step, and the reply that it adds to
