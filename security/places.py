"""Folders for tests, and what is seen in them."""

from __future__ import annotations

import os
from pathlib import Path

from users import User


def home(place: Path, user: User) -> Path:
    """Returns a folder of a user's own, which everybody may enter."""
    path = place / f"home-{user.uid}"
    path.mkdir(mode=0o755, exist_ok=True)
    path.chmod(0o755)
    os.chown(path, user.uid, user.gid)
    return path


def own(place: Path) -> Path:
    """Returns a lane directory of the user who runs the tests."""
    path = place / "own"
    path.mkdir(mode=0o700)
    return path


def names(directory: Path) -> list[Path]:
    """Returns the directory and everything in it, as it is at some moment."""
    found = [directory]
    for folder, folders, files in os.walk(directory):
        found += [Path(folder) / name for name in folders + files]
    return found


def only(directory: Path, pattern: str) -> Path:
    """Returns the one thing of that name."""
    (found,) = directory.glob(pattern)
    return found
