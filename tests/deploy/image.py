"""The Containerfile, read by the parser that builders use, and what .dockerignore lets through to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import dockerfile

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy/container/Containerfile"


@dataclass
class Stage:
    """One FROM and the instructions below it."""

    base: str
    name: str
    instructions: list[dockerfile.Command] = field(default_factory=list)

    def all(self, instruction: str) -> list[dockerfile.Command]:
        """Return the instructions of one kind."""
        return [one for one in self.instructions if one.cmd == instruction]

    def one(self, instruction: str) -> dockerfile.Command:
        """Return the only instruction of a kind."""
        (found,) = self.all(instruction)
        return found


def stages() -> list[Stage]:
    """Return the stages of the build; the last one is the image."""
    found: list[Stage] = []
    arguments: dict[str, str] = {}
    for command in dockerfile.parse_file(str(FILE)):
        if command.cmd == "FROM":
            base = Template(command.value[0]).substitute(arguments)
            found.append(Stage(base, command.value[2] if len(command.value) > 2 else ""))
        elif found:
            found[-1].instructions.append(command)
        else:
            arguments |= [command.value[0].split("=", 1)]
    return found


def sent_to_the_builder(path: Path) -> bool:
    """Tell whether .dockerignore lets a path of the repository through: the last line that matches decides.

    Of its patterns only those are understood that ours are: `*`, a path from the root, and `**/NAME`.
    """
    relative = path.relative_to(ROOT)
    sent = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        if pattern.startswith("**/"):
            matches = pattern.removeprefix("**/") in relative.parts
        else:
            assert pattern == "*" or "*" not in pattern
            matches = pattern == "*" or relative.is_relative_to(pattern)
        if matches:
            sent = line.startswith("!")
    return sent
