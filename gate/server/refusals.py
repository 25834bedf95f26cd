"""Refusals of the server itself: no room, no time, a bug.

They echo the uid of the request where it can be found: without it an API server shows no reason.
"""

from __future__ import annotations

import json
from typing import Final

from gate.formats.admission_review import API_VERSION, KIND, uid_of
from gate.model.admission import Answer, Cause, refusal

_OWN: Final = {
    Cause.OVERLOADED: (429, "too many requests are judged already; try again in a moment"),
    Cause.DEADLINE: (504, "there was no time left to judge this; nothing is let in unjudged, try again"),
    Cause.STOPPING: (503, "this replica stops; try again"),
    Cause.BUG: (500, "a bug in the gate kept this from being judged; its log tells more"),
}


def own_refusal(body: bytes, cause: Cause) -> Answer:
    """A refusal of the server."""
    code, message = _OWN[cause]
    return refusal(uid_of(body) or "", cause, f"refused by gate: {message}", code)


def plain_review(answer: Answer) -> bytes:
    """A review that refuses, for when nothing better can be written."""
    response = {"uid": answer.uid, "allowed": False, "status": {"code": answer.code, "message": answer.message}}
    return json.dumps({"apiVersion": API_VERSION, "kind": KIND, "response": response}).encode("ascii")
