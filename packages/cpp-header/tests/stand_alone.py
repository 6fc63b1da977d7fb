"""Compiles every header of the core alone, as a program that includes nothing else would.

But for memlane/platform/SYSTEM/*.hpp: each is the second half of the platform/*.hpp that includes it at its end.

Usage: stand_alone.py INCLUDE_ROOT COMPILER FLAG...
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path


def main() -> int:
    """Prints what the compiler says of each header that does not stand alone."""
    include_root, *command = sys.argv[1:]
    headers = sorted(
        str(path.relative_to(include_root))
        for path in Path(include_root).rglob("*.hpp")
        if path.parent.parent.name != "platform"
    )
    if not headers:
        print(f"there is no header in {include_root}", file=sys.stderr)
        return 1

    def complaint(header: str) -> str:
        # Twice, for a missing #pragma once.
        source = f'#include "{header}"\n' * 2
        compile_command = [*command, f"-I{include_root}", "-fsyntax-only", "-x", "c++", "-"]
        return subprocess.run(compile_command, input=source, capture_output=True, text=True, check=False).stderr

    with ThreadPoolExecutor(cpu_count()) as pool:
        complaints = [text for text in pool.map(complaint, headers) if text]
    print("\n".join(complaints), end="")
    print(f"{len(headers) - len(complaints)} of {len(headers)} headers stand alone")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
