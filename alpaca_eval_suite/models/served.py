"""Which model a server says it served, and what is doubtful about that: names that move, names that changed."""

import re
from collections.abc import Iterable

_MOVING = re.compile(r"(^|[-_:/.@])latest$", re.IGNORECASE)


def without_place(name: str) -> str:
    """A file's name, where a server gives the path of the file that it loaded: where that lay is nobody's business."""
    is_path = name.startswith(("/", "~", "./")) or re.match(r"[A-Za-z]:[\\/]", name)
    return re.split(r"[\\/]", name.rstrip("\\/"))[-1] if is_path else name


def joined(served: Iterable[str | None]) -> str | None:
    """The ids in a record: several with commas between them, None where none was named."""
    return ", ".join(sorted({name for name in served if name})) or None


def alias_notes(who: str, asked: str, fresh: Iterable[str | None], cached: Iterable[str | None] = ()) -> list[str]:
    """What a reader must know of the ids that came with new answers (`fresh`) and with those from the cache.

    `who` names the deployment, `asked` the model that was asked for. Empty where nothing is doubtful.
    """
    new, old = ({name for name in names if name} for names in (fresh, cached))
    served = sorted(new | old)
    asked = without_place(asked)
    notes = []
    if _MOVING.search(asked):
        notes.append(f"{who}: {asked} is a name that moves on; what it stands for tomorrow is another matter.")
    if len(served) == 1 and served[0] != asked:
        notes.append(f"{who}: asked for {asked}, the server named {served[0]}: the name asked for may move on.")
    if len(served) > 1:
        notes.append(f"{who}: the server named several models within one run: {', '.join(served)}.")
    if new and old and new != old:
        notes.append(
            f"{who}: answers from the cache came from {', '.join(sorted(old))}, new ones from "
            f"{', '.join(sorted(new))}: the model behind the name has changed."
        )
    return notes
