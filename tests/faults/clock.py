"""The clock of a running site jumps, as after a machine slept or when its time was wrong. Needs a C compiler.

Pages stay pages, an edit is seen at the next request in whichever direction the clock went, sessions end when their
time is over by it, and no worker is taken for dead.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from tests.faults.on_sqlite import FORM, assert_whole, found_by, read, told
from tests.servers.daemons import Site, missing
from tests.servers.editor import Editor

SOURCE = Path(__file__).with_name("clock.c")
HOUR, DAY = 3600, 86_400
SESSION_S = 8 * HOUR  # SESSION_COOKIE_AGE
JUMPS = (("an hour on", HOUR), ("right again", 0), ("a day back", -DAY), ("a month on", 30 * DAY), ("right again", 0))


def main(folder: Path) -> bool:
    if missing("cc"):
        print("not done: there is no C compiler")
        return True
    library, offset, data = folder / "clock.so", folder / "offset", folder / "data"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    data.mkdir()
    _set(offset, 0)
    site = Site("site", folder, DATA_DIR=str(data), DATABASE_URL=f"sqlite:///{data}/site.sqlite3")
    site.load()
    site.environment |= {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
    with site:
        right = _jumped(site, offset)
        assert "WORKER TIMEOUT" not in site.said()
    assert_whole(data)
    return right


def _set(offset: Path, seconds: int) -> None:
    """In place: the site has the file mapped."""
    with offset.open("r+b" if offset.exists() else "wb") as file:
        file.write(struct.pack("q", seconds))


def _jumped(site: Site, offset: Path) -> bool:
    editor, right = Editor(site.port), True
    for number, (name, seconds) in enumerate(JUMPS, 1):
        _set(offset, seconds)
        answers = read(site)
        logged_out = editor.ask(FORM)[0] == 302
        if logged_out:
            editor = Editor(site.port)
        editor.send(FORM, name_en=f"Edit {number}", name_zh_hans=f"编辑 {number}")
        seen = found_by(editor) == number
        right = right and set(answers) == {"200"} and seen and logged_out == (seconds > SESSION_S)
        session = "over" if logged_out else "goes on"
        print(
            f"{name:12} read {told(answers)}; the session {session}; an edit is {'' if seen else 'NOT '}seen",
            flush=True,
        )
    return right
