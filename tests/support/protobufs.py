"""Writes messages of Protocol Buffers by hand: pairs of a field's number and its value."""

from __future__ import annotations

Value = int | bytes | str


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def message(*fields: tuple[int, Value]) -> bytes:
    """Numbers become varints, texts and bytes become fields with a length."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


# --- ONNX -------------------------------------------------------------------------------------------------------------


def node(operator: str, domain: str = "", *more: tuple[int, Value]) -> bytes:
    domains = ((7, domain),) if domain else ()
    return message((1, "x"), (2, "y"), (4, operator), *domains, *more)


def tensor(*entries: tuple[str, str]) -> bytes:
    external = tuple((13, message((1, key), (2, value))) for key, value in entries)
    return message((1, 2), (2, 1), (8, "w"), *external, *(((14, 1),) if entries else ((9, bytes(8)),)))


def graph(*nodes: bytes, tensors: tuple[bytes, ...] = ()) -> bytes:
    return message(*((1, item) for item in nodes), (2, "main"), *((5, item) for item in tensors), (11, b""), (12, b""))


def onnx(inside: bytes | None = None, *more: tuple[int, Value]) -> bytes:
    opset = message((1, ""), (2, 20))
    return message((1, 9), (2, "writer"), (7, graph(node("Relu")) if inside is None else inside), (8, opset), *more)
