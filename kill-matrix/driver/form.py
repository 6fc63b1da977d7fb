"""The lines that the peers of the conformance suite speak: see conformance/peers/PROTOCOL.md."""

from urllib.parse import parse_qsl, urlencode


class Form:
    """The fields of an answer, in order; one name may stand several times."""

    def __init__(self, line: str) -> None:
        self.fields = parse_qsl(line, keep_blank_values=True)

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
            raise KeyError(f"the answer lacks `{name}`: {self.fields}")
        return value

    def integer(self, name: str) -> int:
        """Return a field that must be a number."""
        return int(self.text(name))


def line_of(fields: dict[str, object]) -> str:
    """Return a step as one line; underscores in names stand for hyphens."""
    return urlencode([(name.replace("_", "-"), str(value)) for name, value in fields.items() if value is not None])
