"""Reviews of admission (`admission.k8s.io/v1`): what an API server asks, and the answer as it reads it.

A request is refused unless everything that decides what is judged is there, is of its type, and agrees: the kind that
the API server says and the kind that the object says (K8S-10, K8S-11). What else a newer API server says is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from gate.formats.printable import terminal
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.admission import Answer, ObjectKind, Operation, Review
from gate.model.json import JsonObject, JsonValue

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
_UID_CHARACTERS: Final = 256
_NAME_CHARACTERS: Final = 253
_TEXT_CHARACTERS: Final = 4096
_GROUPS: Final = 10_000
_HEAD_BYTES: Final = 4096
_HEAD: Final = re.compile(rb'"request"\s{0,64}:\s{0,64}\{\s{0,64}"uid"\s{0,64}:\s{0,64}"([!#-\[\]-~]{1,256})"')
"""The uid is the first member of a request, as every API server writes it."""
_MESSAGE_BYTES: Final = 1024
_WARNING_BYTES: Final = 240
_WARNINGS_BYTES: Final = 4096
_ANNOTATIONS: Final = 32
_ANNOTATION_BYTES: Final = 2048
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9_.-]")
_KEY_CHARACTERS: Final = 63
_REFUSED: Final = 403
_REASONS: Final = {
    400: "BadRequest",
    403: "Forbidden",
    413: "RequestEntityTooLarge",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
"""Words of `metav1.StatusReason`, by HTTP status."""
_MAX_STATUS: Final = 599


class ReviewError(ValueError):
    """Not a review that the gate answers. `uid` is what it is about, as far as that could be read; `code` is HTTP's."""

    def __init__(self, message: str, uid: str | None = None, code: int = 400) -> None:
        super().__init__(message)
        self.uid = uid
        self.code = code


def uid_of(data: bytes) -> str | None:
    """The uid of a request that is not read, or cannot be: only where an API server writes it."""
    found = _HEAD.search(data[:_HEAD_BYTES])
    return found[1].decode("ascii") if found else None


def read_review(data: bytes, limit: int) -> Review:
    """The request of a review of at most `limit` bytes; raises `ReviewError`."""
    if len(data) > limit:
        raise ReviewError(f"the review has {len(data)} bytes, more than the {limit} allowed", uid_of(data), 413)
    try:
        value = loads(data, limit=limit)
    except StrictJsonError as error:
        raise ReviewError(f"the review is not strict JSON: {error}", uid_of(data)) from None
    if not isinstance(value, Mapping):
        raise ReviewError("the review is not a JSON object")
    request = value.get("request")
    if not isinstance(request, Mapping):
        raise ReviewError("the review has no request")
    uid = request.get("uid")
    if not isinstance(uid, str) or not 0 < len(uid) <= _UID_CHARACTERS or not _is_printable(uid):
        raise ReviewError("the request has no uid of printable characters")
    try:
        return _request(uid, value, request)
    except ReviewError as error:
        raise ReviewError(str(error), uid, error.code) from None


def _request(uid: str, review: JsonObject, request: JsonObject) -> Review:
    if review.get("apiVersion") != API_VERSION or review.get("kind") != KIND:
        raise ReviewError(f"only a {KIND} of {API_VERSION} is answered")
    if review.get("response") is not None:
        raise ReviewError("the review has a response already")
    operation = next((item for item in Operation if item.value == request.get("operation")), None)
    if operation is None:
        known = " and ".join(item.value for item in Operation)
        raise ReviewError(f"request.operation is not one that brings something in; {known} are judged")
    kind = _kind(request, "kind", "kind")
    resource = _kind(request, "resource", "resource")
    for name, last in (("requestKind", "kind"), ("requestResource", "resource")):
        if request.get(name) is not None:
            _kind(request, name, last)
    _name(request, "requestSubResource")
    sub_resource = _name(request, "subResource") or ""
    if not sub_resource and (resource.group, resource.version) != (kind.group, kind.version):
        raise ReviewError("request.kind and request.resource are not of one group and version")
    user = _part(request, "userInfo", "request.userInfo")
    namespace, own_name = _name(request, "namespace"), _name(request, "name")
    return Review(
        uid=uid,
        kind=kind,
        resource=resource.kind,
        sub_resource=sub_resource,
        operation=operation,
        namespace=namespace,
        name=own_name,
        user=_text(user, "username", "request.userInfo") or "",
        groups=_groups(user),
        dry_run=_dry_run(request),
        object=_object(request, kind, namespace, own_name),
        old=_old(request),
    )


def _object(request: JsonObject, kind: ObjectKind, namespace: str | None, name: str | None) -> JsonObject:
    """The object, which is what the request says that it is."""
    found = _part(request, "object", "request.object")
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    if found.get("kind") != kind.kind or found.get("apiVersion") != version:
        raise ReviewError(f"request.object is not of the kind that the request says, {kind}")
    metadata = _part(found, "metadata", "request.object.metadata")
    for key, said in (("namespace", namespace), ("name", name)):
        own = _text(metadata, key, "request.object.metadata")
        if own and said and own != said:
            raise ReviewError(f"request.object.metadata.{key} is not the {key} that the request says")
    return found


def _old(request: JsonObject) -> JsonObject | None:
    return None if request.get("oldObject") is None else _part(request, "oldObject", "request.oldObject")


def _dry_run(request: JsonObject) -> bool:
    value = request.get("dryRun")
    if value is not None and not isinstance(value, bool):
        raise ReviewError("request.dryRun is neither true nor false")
    return value is True


def _groups(user: JsonObject) -> tuple[str, ...]:
    value = user.get("groups")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _GROUPS:
        raise ReviewError("request.userInfo.groups is not a list of names")
    found = tuple(item for item in value if isinstance(item, str))
    if len(found) != len(value):
        raise ReviewError("request.userInfo.groups is not a list of names")
    return found


def _kind(request: JsonObject, name: str, last: str) -> ObjectKind:
    """A group, version and kind, or those of a resource and its name."""
    value = _part(request, name, f"request.{name}")
    group, version, word = (_name(value, key, f"request.{name}") for key in ("group", "version", last))
    if not version or not word or not isinstance(value.get("group"), str):
        raise ReviewError(f"request.{name} is not a group, version and {last}")
    return ObjectKind(group or "", version, word)


def _name(value: JsonObject, key: str, place: str = "request") -> str | None:
    """A name, which may be absent or empty."""
    found = _text(value, key, place)
    if found is not None and (len(found) > _NAME_CHARACTERS or not _is_printable(found)):
        raise ReviewError(f"{place}.{key} is not a name of at most {_NAME_CHARACTERS} printable characters")
    return found or None


def _text(value: JsonObject, key: str, place: str) -> str | None:
    found: JsonValue = value.get(key)
    if found is not None and (not isinstance(found, str) or len(found) > _TEXT_CHARACTERS):
        raise ReviewError(f"{place}.{key} is not text of at most {_TEXT_CHARACTERS} characters")
    return found


def _part(value: JsonObject, key: str, place: str) -> JsonObject:
    found = value.get(key)
    if not isinstance(found, Mapping):
        raise ReviewError(f"{place} is not an object")
    return found


def _is_printable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def write_review(answer: Answer) -> bytes:
    """The review that answers: nothing in it is more than an API server passes on, and all of it is printable ASCII."""
    response: dict[str, JsonValue] = {"uid": answer.uid, "allowed": answer.allowed is True}
    message = _shown(answer.message, _MESSAGE_BYTES)
    if answer.allowed is not True:
        code = answer.code if 400 <= answer.code <= _MAX_STATUS else _REFUSED
        reason = _REASONS.get(code, _REASONS[_REFUSED])
        response["status"] = {
            "status": "Failure",
            "message": message or "refused by gate",
            "reason": reason,
            "code": code,
        }
    elif message:
        response["status"] = {"status": "Success", "message": message, "code": 200}
    warnings = _warnings(answer.warnings)
    if warnings:
        response["warnings"] = warnings
    if answer.annotations:
        response["auditAnnotations"] = _annotations(answer.annotations)
    review = {"apiVersion": API_VERSION, "kind": KIND, "response": response}
    return json.dumps(review, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _warnings(warnings: Iterable[str]) -> list[JsonValue]:
    """As many as are passed on; the last one says that there are more."""
    shown = [text for warning in warnings if (text := _shown(warning, _WARNING_BYTES))]
    found: list[JsonValue] = []
    room = _WARNINGS_BYTES - _WARNING_BYTES
    for number, text in enumerate(shown):
        room -= len(text)
        if room < 0:
            return [*found, f"{len(shown) - number} more warnings"]
        found.append(text)
    return found


def _annotations(annotations: Mapping[str, str]) -> dict[str, JsonValue]:
    """With keys that an API server accepts behind the name of a webhook."""
    found: dict[str, JsonValue] = {}
    for key in sorted(annotations)[:_ANNOTATIONS]:
        name = _NO_KEY.sub("-", key)[:_KEY_CHARACTERS].strip("-_.") or "note"
        found[name] = _shown(annotations[key], _ANNOTATION_BYTES)
    return found


def _shown(text: str, limit: int) -> str:
    """Printable ASCII of at most `limit` bytes."""
    shown = terminal(text, limit)
    if shown.isascii():
        return shown
    return terminal(shown.encode("ascii", "backslashreplace").decode("ascii"), limit)
