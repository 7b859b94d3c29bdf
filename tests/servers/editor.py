"""An editor with a browser's manners: logs in at a running site, reads a form, and sends it back with changes."""

from __future__ import annotations

from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

NAME, PASSWORD = "editor", "correct horse battery"
PATIENCE_S = 60


def _is_sent(given: dict[str, str]) -> bool:
    kind = given.get("type")
    chosen = kind not in ("checkbox", "radio") or "checked" in given
    return bool(given.get("name")) and chosen and kind not in ("submit", "button", "file")


class _Fields(HTMLParser):
    """What a browser would send of every form on a page, unedited."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self._name, self._text = "", None

    _text: list[str] | None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in ("select", "textarea"):
            self._name, self._text = given.get("name", ""), [] if tag == "textarea" else None
        elif tag == "option" and "selected" in given:
            self.sent.append((self._name, given.get("value", "")))
        elif tag == "input" and _is_sent(given):
            self.sent.append((given["name"], given.get("value") or ("on" if "checked" in given else "")))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            self.sent.append((self._name, "".join(self._text).removeprefix("\n")))
            self._text = None


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None


class Visitor:
    """Keeps cookies, and follows no redirection."""

    def __init__(self, port: int) -> None:
        self.site = f"http://127.0.0.1:{port}"
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()), _Stay())

    def ask(self, path: str, sent: list[tuple[str, str]] | None = None) -> tuple[int, str]:
        body = None if sent is None else urlencode(sent).encode()
        request = Request(self.site + path, body, {"Referer": self.site + path})
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def send(self, path: str, **changes: str) -> tuple[int, str]:
        """302 is Django's answer to a form that was saved."""
        status, page = self.ask(path)
        if status != 200:
            return status, page
        fields = _Fields()
        fields.feed(page)
        fields.close()
        kept = [(name, value) for name, value in fields.sent if name not in changes]
        return self.ask(path, [*kept, *changes.items()])


class Editor(Visitor):
    def __init__(self, port: int, account: str = NAME, password: str = PASSWORD) -> None:
        super().__init__(port)
        status, _body = self.send("/admin/login/", username=account, password=password)
        if status != 302:
            raise RuntimeError(f"{status} at the login")
