"""What looks like a secret is taken out of text before it is stored or shown (SECURITY 35).

A secret becomes `[redacted <kind> <8 digits>]`, the digits being the first of its SHA-256: equal secrets stay equal,
and who has the secret can find it again. What stands around it stays: the host of an address, the name before `=`.

Only what has the form of a secret is found. A password that nothing names looks like any other word.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final, overload

from gate.errors import EvidenceError
from gate.formats.clean import CleanTexts
from gate.model.json import JsonObject, JsonValue

_MARK: Final = re.compile(r"\[redacted [a-z][a-z0-9-]{1,30} [0-9a-f]{8}\]")
_SHORTEST: Final = 8
_LONG: Final = 40
_NO_HINT: Final = "long"
"""The hint of a kind that nothing gives away but its length."""
_HARMLESS: Final = re.compile(r"(?:sha256:)?[0-9a-f]{0,64}")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9_]{1,11}")
_Marking = Callable[[str, str], str]


class SecretsError(EvidenceError):
    """Two texts that differ would be one without their secrets, so that one would stand for the other."""

    def __init__(self, message: str) -> None:
        hint = "rename what holds them: no file, artifact or member should be called after a secret"
        super().__init__(f"{message}; what is judged could not be told apart", hint=hint)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of secret. The group of the pattern is the secret, else all of what it matches.

    A text with none of the `hints` in it, in lower case, or none of the characters `between`, holds none of the kind.
    Every pattern takes linear time: it looks no further than some hundred characters before it knows that it matches.
    """

    name: str
    hints: frozenset[str]
    pattern: str
    holds: Callable[[str], bool] = bool
    between: str = ""


def _kind(name: str, hints: str, pattern: str, holds: Callable[[str], bool] = bool, between: str = "") -> _Kind:
    return _Kind(name, frozenset(hints.split()), pattern, holds, between)


def _prefixed(name: str, prefixes: str, rest: str) -> _Kind:
    """A secret that begins with one of some prefixes, where a word begins."""
    words = prefixes.split()
    listed = "|".join(map(re.escape, words))
    return _kind(name, prefixes.lower(), rf"(?<![A-Za-z0-9])(?:{listed}){rest}")


def _is_pair(text: str) -> bool:
    """Whether this is `user:password` in base64; what follows a cut is ignored."""
    whole = text.rstrip("=")
    data = base64.b64decode(whole[: len(whole) // 4 * 4])
    head, colon, _ = data.partition(b":")
    return bool(colon) and bool(head) and head.isascii() and head.decode().isprintable()


def _is_random(text: str) -> bool:
    """Whether forty letters and digits look drawn by lot, not written: no path, no name, no number."""
    if re.match(r"[A-Za-z][a-z]*[0-9]*/", text) or not re.search(r"[0-9]", text):
        return False
    classes = ["U" if c.isupper() else "l" if c.islower() else "0" if c.isdigit() else "/" for c in text]
    turns = sum(one != other for one, other in pairwise(classes))
    return turns >= 14 and min(classes.count("U"), classes.count("l")) >= 6


# A value after a name: it goes on to a space or quote. What stands for a value (`$NAME`, `{...}`, `<...>`, `***`) is
# none, and a digest says nothing.
_START: Final = r"(?!\[redacted |sha[0-9]{3}[:-])(?=[^\s\"'`$<>{}\[\]*(),;&|\\])"
_REST: Final = r"[^\s\"'`<>,;&\\]"
_MIXED: Final = rf"(?={_REST}{{0,200}}?[0-9])(?={_REST}{{0,200}}?[A-Za-z])"
_IS: Final = r"[\"'\\]{0,4}[ \t]{0,3}(?::=|=>|=)[ \t]{0,3}[\"'\\]{0,4}"
_SAYS: Final = r"[\"'\\]{0,4}[ \t]{0,3}:[ \t]{0,3}[\"'\\]{0,4}"
_PASSWORD: Final = r"(?:passw(?:or)?d|passwd|passphrase|pwd|secret)"
_TOKEN: Final = r"(?:token|credentials?|(?:api|access|account|auth|encryption|private|secret|shared|storage)[ _.-]?key)"

_KINDS: Final = (
    _kind(
        "private-key",
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[A-Za-z0-9+/=\s\\:,.]|-(?!----))*+(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----)?",
    ),
    _prefixed("age-key", "AGE-SECRET-KEY-1", r"[0-9A-Z]{20,}"),
    _kind("aws-key-id", "akia asia abia acca", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _prefixed("github-token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"[A-Za-z0-9_]{16,}"),
    _prefixed(
        "gitlab-token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct- glrtr-",
        r"[A-Za-z0-9_-]{16,}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?",
    ),
    _prefixed(
        "slack-token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp- xoxe.xoxp- xoxe.xoxb-", r"[A-Za-z0-9-]{10,}"
    ),
    _kind(
        "webhook",
        "hooks.slack. /api/webhooks/ webhook.office.",
        r"(?:hooks\.slack\.[a-z]{2,20}(?:\.[a-z]{2,20})?/(?:services|workflows|triggers)|/api/webhooks"
        r"|webhook\.office\.com/webhookb2)/([A-Za-z0-9@/_-]{8,})",
    ),
    _prefixed("anthropic-key", "sk-ant-", r"[A-Za-z0-9_-]{16,}"),
    _kind(
        "openai-key",
        "sk- sk-ant-",
        r"(?<![A-Za-z0-9])sk-(?:or-v1-[0-9a-f]{32,}|[0-9a-f]{32,64}(?![A-Za-z0-9_-])"
        r"|(?=[A-Za-z0-9_-]{0,200}?[0-9])(?=[A-Za-z0-9_-]{0,200}?[A-Z])(?=[A-Za-z0-9_-]{0,200}?[a-z])[A-Za-z0-9_-]{20,})",
    ),
    _kind(
        "hugging-face-token",
        "hf_ api_org_",
        r"(?<![A-Za-z0-9])(?:hf|api_org)_(?=[a-z0-9]{0,40}[A-Z])(?=[A-Z0-9]{0,40}[a-z])[A-Za-z0-9]{24,}",
    ),
    _prefixed("replicate-token", "r8_", r"[A-Za-z0-9]{30,}"),
    _prefixed("groq-key", "gsk_", r"[A-Za-z0-9]{30,}"),
    _prefixed("databricks-token", "dapi", r"[0-9a-f]{32}(?:-[0-9])?(?![A-Za-z0-9])"),
    _prefixed("google-key", "AIza", r"[A-Za-z0-9_-]{30,}"),
    _prefixed("google-secret", "GOCSPX- ya29.", r"[A-Za-z0-9_-]{16,}"),
    _kind("stripe-key", "k_live_ k_test_ whsec_", r"(?<![A-Za-z0-9])(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}"),
    _prefixed("npm-token", "npm_", r"[A-Za-z0-9]{30,}"),
    _prefixed("pypi-token", "pypi-AgE", r"[A-Za-z0-9_-]{16,}"),
    _prefixed("docker-token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_-]{16,}"),
    _prefixed("vault-token", "hvs. hvb. hvr.", r"[A-Za-z0-9_-]{20,}"),
    _prefixed("cloud-token", "dop_v1_ doo_v1_ shpat_ shpss_ lin_api_ ATATT3x", r"[A-Za-z0-9_=-]{16,}"),
    _prefixed("sendgrid-key", "SG.", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _kind(
        "jwt",
        "eyj",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+(?:\.eyJ[A-Za-z0-9_-]*+\.[A-Za-z0-9_-]*|(?:\.[A-Za-z0-9_-]*+){4})",
    ),
    _kind(
        "docker-auth",
        "auth",
        r"(?<![A-Za-z])auth[\"'\\]{1,4}[ \t]{0,3}:[ \t]{0,3}[\"'\\]{1,4}([A-Za-z0-9+/]{8,}={0,2})",
        _is_pair,
        between=":",
    ),
    _kind("basic", "basic", r"(?<![A-Za-z0-9])[Bb][Aa][Ss][Ii][Cc][ \t]{1,3}([A-Za-z0-9+/]{8,}={0,2})", _is_pair),
    _kind(
        "bearer",
        "bearer auth",
        r"(?i:(?<![a-z0-9])bearer[ \t]{1,3}"
        r"|authorization[\"'\\]{0,4}[ \t]{0,3}[:=][ \t]{0,3}(?:[a-z]{1,12}[ \t]{1,3})?)"
        rf"({_MIXED}[A-Za-z0-9._~+/=-]{{16,}})",
        between=" =:",
    ),
    _kind("cookie", "cookie", r"(?i:cookie[ \t]{0,3}:[ \t]{0,3})[A-Za-z0-9_.-]{1,64}=([^\s;\"'\[]{8,})"),
    _kind(
        "url-credentials",
        "://",
        r"://(?:[^\s/@:\"'<>\[\]]{0,100}:((?!\[redacted )[^\s/@\"'<>]{1,400})|([A-Za-z0-9_.~-]{20,400}))@",
    ),
    _kind("signature", "sig=", r"(?<![A-Za-z0-9])sig=([A-Za-z0-9%+/_-]{16,}={0,2})"),
    _kind(
        "password",
        "passw pwd passphrase secret",
        rf"(?i:{_PASSWORD})(?:{_IS}{_START}({_REST}{{4,}})|{_SAYS}{_START}{_MIXED}({_REST}{{8,}}))",
        between="=:",
    ),
    _kind(
        "password",
        "passw pwd passphrase secret token -key",
        rf"(?i:--[a-z-]{{0,30}}(?:passw(?:or)?d|passphrase|secret|token|api-key)|login[ \t]{{1,3}}\S{{1,100}}"
        rf"[ \t]{{1,3}}password)[ \t]{{1,3}}{_START}{_MIXED}({_REST}{{8,}})",
        between=" \t",
    ),
    _kind(
        "token",
        "token credential key",
        rf"(?i:{_TOKEN})(?:{_IS}|{_SAYS}){_START}{_MIXED}({_REST}{{12,}})",
        between="=:",
    ),
    _kind(
        "aws-secret",
        _NO_HINT,
        r"(?<![A-Za-z0-9/+_.@%-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_@%-]|\.[A-Za-z0-9])",
        _is_random,
    ),
)
_HINTS: Final = frozenset[str]().union(*(kind.hints for kind in _KINDS)) - {_NO_HINT}
# The longest first: a hint that begins like another one is not taken for it.
_ANY: Final = re.compile("|".join(map(re.escape, sorted(_HINTS, key=lambda hint: (-len(hint), hint)))))
KINDS: Final = tuple(dict.fromkeys(kind.name for kind in _KINDS))
"""What a redacted secret may be called."""
_SECRET_NAME: Final = re.compile(rf"(?i:.{{0,100}}?(?<![a-z])(?:{_PASSWORD}|{_TOKEN}))")
_SECRET_VALUE: Final = re.compile(rf"{_START}{_MIXED}{_REST}{{8,}}")


def redact(text: str) -> str:
    """The text without what looks like a secret, in linear time. What is redacted already stays as it is."""
    return _without(text, _mark)


@overload
def redacted(value: JsonObject, *, is_outside: bool = False) -> JsonObject: ...
@overload
def redacted(value: JsonValue, *, is_outside: bool = False) -> JsonValue: ...
def redacted(value: JsonValue, *, is_outside: bool = False) -> JsonValue:
    """A JSON value without secrets, in texts, in names of members, and as what a member holds that is named for one.

    Members are sorted. Equal texts stay equal, so what a member holds that is named for a secret is none where it also
    stands elsewhere, for all to see. Texts that are keys of some `files`, or a `path`, keep their slashes and their
    extension: what is judged by where it lies is judged so all the same. With `is_outside` a mark that stands in the
    value is redacted too, so that nobody writes down what a secret becomes. Raises `SecretsError` if two texts would
    become one.
    """
    if clean_text(value) is None:
        return _Redaction(value, is_outside).of(value)
    copy: JsonValue = json.loads(json.dumps(value, sort_keys=True, default=dict))
    return copy


def clean_text(value: JsonValue) -> str | None:
    """The canonical form of a value that nothing is redacted in.

    `None` where something in it, or in a part of it, looks like a secret; and where that is not looked at so quickly.
    """
    return _CLEAN.text(value)


class _Redaction:
    """One value's redaction: each text is looked at once."""

    def __init__(self, value: JsonValue, is_outside: bool) -> None:
        self._value = value
        self._is_outside = is_outside
        self._known: dict[str, str] = {}
        self._secrets: dict[str, str] = {}
        self._paths: frozenset[str] | None = None
        self._others: frozenset[JsonValue] | None = None

    def of(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return self._object(value)
        if isinstance(value, list | tuple):
            return [self.of(item) for item in value]
        return value

    def _object(self, members: JsonObject) -> JsonObject:
        found: dict[str, JsonValue] = {}
        for name, value in sorted(members.items()):
            key = self._text(name)
            if key in found:
                raise SecretsError(f"two names of members are {key} without the secrets in them")
            is_secret = _is_named(name, value) and value not in self._elsewhere()
            found[key] = self._marked("value", str(value)) if is_secret else self.of(value)
        return found

    def _elsewhere(self) -> frozenset[JsonValue]:
        """The texts that stand where nothing calls them a secret: a reference to one has to hold."""
        if self._others is None:
            self._others = frozenset(_unnamed(self._value))
        return self._others

    def _text(self, text: str) -> str:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._without(text)
        return known

    def _without(self, text: str) -> str:
        own = _MARK.sub(lambda match: self._marked("mark", match[0]), text) if self._is_outside else text
        clean = _without(own, self._marked)
        if clean == text:
            return text
        if self._paths is None:
            self._paths = frozenset(_paths(self._value))
        return _without(self._path(own), self._marked) if text in self._paths else clean

    def _path(self, path: str) -> str:
        """The path, its segments redacted one by one, and its extension left as it is."""
        folder, slash, name = path.rpartition("/")
        stem, dot, extension = name.rpartition(".")
        if not stem or not _EXTENSION.fullmatch(dot + extension):
            stem, dot, extension = name, "", ""
        segments = (_without(segment, self._marked) for segment in folder.split("/"))
        return f"{'/'.join(segments)}{slash}{_without(stem, self._marked)}{dot}{extension}"

    def _marked(self, kind: str, secret: str) -> str:
        mark = _mark(kind, secret)
        if self._secrets.setdefault(mark, secret) != secret:
            raise SecretsError(f"two secrets are both {mark}")
        return mark


def _without(text: str, mark: _Marking) -> str:
    if len(text) < _SHORTEST or _HARMLESS.fullmatch(text):
        return text
    hints = set(_ANY.findall(text.lower()))
    if len(text) >= _LONG:
        hints.add(_NO_HINT)
    for kind in _KINDS if hints else ():
        if not hints.isdisjoint(kind.hints) and (not kind.between or any(map(text.__contains__, kind.between))):
            text = re.sub(kind.pattern, partial(_replaced, kind, mark), text)
    return text


def _replaced(kind: _Kind, mark: _Marking, match: re.Match[str]) -> str:
    group = match.lastindex or 0
    secret = match[group]
    if not kind.holds(secret):
        return match[0]
    start, end = (place - match.start() for place in match.span(group))
    return f"{match[0][:start]}{mark(kind.name, secret)}{match[0][end:]}"


def _mark(kind: str, secret: str) -> str:
    digits = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"[redacted {kind} {digits}]"


def _is_named(name: str, value: JsonValue) -> bool:
    """Whether a member is named for a secret and holds what may be one."""
    return isinstance(value, str) and bool(_SECRET_NAME.fullmatch(name) and _SECRET_VALUE.fullmatch(value))


def _unnamed(value: JsonValue) -> Iterator[str]:
    """All texts but those that `_is_named` holds for."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for name, member in value.items():
            if not _is_named(name, member):
                yield from _unnamed(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _unnamed(item)


def _paths(value: JsonValue) -> Iterator[str]:
    """The texts that are paths: keys of `files`, and what a `path` is."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name == "files" and isinstance(member, Mapping):
                yield from member
            elif name == "path" and isinstance(member, str):
                yield member
            yield from _paths(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _paths(item)


def _is_clean(text: str) -> bool:
    """Whether nothing in a text looks like a secret, or like what one becomes."""
    return "[redacted " not in text and _without(text, _mark) == text


def _names_secret(text: str) -> bool:
    return _SECRET_NAME.fullmatch(text) is not None


_CLEAN: Final = CleanTexts(_is_clean, _names_secret)
