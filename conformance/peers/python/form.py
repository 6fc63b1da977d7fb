"""The lines of the control channel: see ../PROTOCOL.md. Whoever speaks with the peers uses it too."""

from urllib.parse import parse_qsl, urlencode


class Form:
    """The fields of a step or of a reply."""

    def __init__(self, line: str = "") -> None:
        self.fields = parse_qsl(line, keep_blank_values=True, strict_parsing=bool(line))

    @classmethod
    def of(cls, **fields: object) -> "Form":
        """Make one of fields; underscores in names stand for hyphens, and what is None is left out."""
        form = cls()
        for name, value in fields.items():
            if value is not None:
                form.add(name.replace("_", "-"), value)
        return form

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
            raise KeyError(f"`{name}` is missing: {self.fields}")
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
