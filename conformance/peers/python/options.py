"""What the fields of a step mean to the library."""

from typing import Any

from form import Form


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


def publisher_options(step: Form) -> dict[str, Any]:
    """Return the options of a publisher that a step gives."""
    return given(
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
