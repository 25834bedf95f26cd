"""Tokenizers in JSON: what turns words into numbers and back can also put other words in their place.

Told is what a tokenizer does to words whatever its numbers are: rules that replace words, tokens that are put into
every text, two words of one number, ordinary words that count as special. That two words have each other's numbers
cannot be seen without the tokenizer that the model was trained with; the digest of the file is what holds that.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Final

from gate.inspect.context import Findings, shown
from gate.inspect.regex_cost import regex_problem
from gate.inspect.values import members, texts
from gate.model.scan import Severity


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMPONENTS: Final[Mapping[str, frozenset[str]]] = {
    "normalizer": _words(
        "BertNormalizer ByteLevel Lowercase NFC NFD NFKC NFKD Nmt Precompiled Prepend Replace Sequence Strip "
        "StripAccents"
    ),
    "pre_tokenizer": _words(
        "BertPreTokenizer ByteLevel CharDelimiterSplit Delimiter Digits FixedLength Metaspace Punctuation "
        "RandomWhitespaceSplit Sequence Split UnicodeScripts Whitespace WhitespaceSplit"
    ),
    "post_processor": _words("BertProcessing ByteLevel RobertaProcessing Sequence TemplateProcessing"),
    "decoder": _words(
        "BPEDecoder ByteFallback ByteLevel CTC Fuse Metaspace Replace Sequence Strip WordPiece WordPieceDecoder"
    ),
}
"""The parts of a tokenizer, and the kinds of each."""
_PARTS: Final = ("normalizers", "pretokenizers", "decoders", "processors")
_MODELS: Final = _words("BPE Unigram WordLevel WordPiece")
_SHOWN: Final = 10
_LETTER: Final = re.compile(r"[^\W_]")
_GAPS: Final = re.compile(
    r"(?:\\[snrt]|\\p\{[ZPMC][a-z]?\}|\\[^A-Za-z0-9]|\{[0-9]{1,9}(?:,[0-9]{0,9})?\}|\{,[0-9]{1,9}\}|[^\w.\\\[\]]|_"
    r"|\[(?!\^)(?:\\[snrt]|\\[^A-Za-z0-9]|[^\w\\\[\]]|_)*\])*"
)
"""Expressions that match spaces and punctuation alone, ranges apart."""
_RANGE: Final = re.compile(r"(?s)(?=(.)-(.))")
_WIDE: Final = 1000
_PLACEHOLDER: Final = re.compile(
    r"[<\[{(|].*[>\]})|]|.*(?:unused|reserved|placeholder|extra).*", re.IGNORECASE | re.DOTALL
)
_OPENING: Final = frozenset("<[{(|")
_INSERTED: Final[Mapping[str, tuple[str, ...]]] = {
    "BPEDecoder": ("suffix",),
    "CTC": ("word_delimiter_token",),
    "Metaspace": ("replacement", "str_rep"),
    "Prepend": ("prepend",),
    "Strip": ("content",),
    "WordPiece": ("prefix",),
}
"""Parts that put something into a text or take it away, and the members that say what."""
_MARKS: Final = frozenset({"</w>", "<w>"})
_NAMES: Final = _words("BOS CLS EOS MASK NULL PAD SEP UNK")
_TOKEN_KEYS: Final = _words("bos_token cls_token eos_token mask_token pad_token sep_token unk_token")


def judge_tokenizer(path: str, root: object, found: Findings) -> None:
    """Judges a parsed document that is, by its name, a tokenizer or a part of one."""
    name = path.rpartition("/")[2].lower()
    if name == "tokenizer.json":
        _judge_file(root, found)
    elif name in {"vocab.json", "added_tokens.json"}:
        _judge_vocabulary(members(root), found)
    elif name == "tekken.json":
        _judge_pattern(dict(members(dict(members(root)).get("config"))), found)
    elif name in {"tokenizer_config.json", "special_tokens_map.json"}:
        _judge_settings(root, found)


def check_charsmap(data: bytes) -> str | None:
    """Why a table of normalisation cannot be read within its bounds; `None` if it can.

    Four bytes say how long a search tree of units of four bytes is; the texts it leads to follow, each ended by a zero.
    """
    size = int.from_bytes(data[:4], "little")
    if len(data) < 4 or size % 4 or size > len(data) - 4:
        return "its search tree does not fit into it"
    if len(data) > size + 4 and data[-1] != 0:
        return "its last text does not end"
    return None


def _judge_file(root: object, found: Findings) -> None:
    top = dict(members(root))
    model = dict(members(top.get("model")))
    if not model and top.keys() >= {"class_name", "config"}:
        return  # of Keras, whose classes are judged where they stand
    if not model:
        found.add("tokenizer.structure", Severity.HIGH, "is named like a tokenizer, and has no model of one")
        return
    if model.get("type", "BPE") not in _MODELS:
        found.add(
            "tokenizer.component", Severity.HIGH, f"its model is of no kind that is known: {_brief(model['type'])}"
        )
    for word in texts([model.get("unk_token"), dict(members(top.get("padding"))).get("pad_token")]):
        _judge_special(word, found)
    vocabulary = _vocabulary(model.get("vocab"))
    _judge_vocabulary(vocabulary, found)
    added = {word: number for word, number in vocabulary if word[:1] in _OPENING and _PLACEHOLDER.fullmatch(word)}
    added |= _judge_added(top.get("added_tokens"), vocabulary, found)
    for part, kinds in _COMPONENTS.items():
        for component in _components(top.get(part)):
            kind = component.get("type")
            if not isinstance(kind, str) or kind not in kinds:
                text = f"a {part} is of no kind that is known: {_brief(component.get('type'))}"
                found.add("tokenizer.component", Severity.HIGH, text)
            else:
                _judge_component(component, added, found)


def _components(value: object) -> Iterator[dict[str, object]]:
    """A part of a tokenizer and the parts that it is made of; what is no object is one without a kind."""
    waiting = [] if value is None else [value]
    while waiting:
        component = dict(members(waiting.pop()))
        yield component
        for key in _PARTS:
            inside = component.get(key)
            waiting.extend(inside if isinstance(inside, list) else [])


def _judge_component(component: Mapping[str, object], added: Mapping[str, object], found: Findings) -> None:
    kind = str(component["type"])
    _judge_pattern({name: part for name, part in members(component.get("pattern")) if name == "Regex"}, found)
    if kind == "Replace" and (_matches_letters(component.get("pattern")) or _has_letter(component.get("content"))):
        pattern, content = _brief(_pattern(component.get("pattern"))), _brief(component.get("content"))
        found.add("tokenizer.replace", Severity.HIGH, f"a rule replaces letters: {pattern} by {content}")
    elif any(_has_letter(component.get(key)) for key in _INSERTED.get(kind, ())):
        found.add("tokenizer.replace", Severity.HIGH, f"a {shown(kind, 40)} puts in or takes away letters")
    elif kind == "Precompiled":
        problem = _charsmap_problem(component.get("precompiled_charsmap"))
        if problem is not None:
            found.add("tokenizer.charsmap", Severity.HIGH, f"a table of normalisation is not sound: {problem}")
    elif kind == "TemplateProcessing":
        _judge_template(component, added, found)
    elif kind in {"BertProcessing", "RobertaProcessing"}:
        for key in ("sep", "cls"):
            pair = component.get(key)
            if isinstance(pair, list) and len(pair) == 2:
                _judge_inserted([pair[0]], [pair[1]], added, found)


def _judge_pattern(settings: Mapping[str, object], found: Findings) -> None:
    """The expression by which texts are split, under the name that its library has for it."""
    for name in ("Regex", "pattern"):
        pattern = settings.get(name)
        problem = regex_problem(pattern) if isinstance(pattern, str) else "is no text"
        if name in settings and problem is not None:
            found.add("tokenizer.regex", Severity.HIGH, f"an expression {problem}: {_brief(pattern)}")


def _judge_template(component: Mapping[str, object], added: Mapping[str, object], found: Findings) -> None:
    """What is put around every text: special tokens, each by the number that it has."""
    for _, token in members(component.get("special_tokens")):
        fields = dict(members(token))
        names, numbers = fields.get("tokens"), fields.get("ids")
        if isinstance(names, list) and isinstance(numbers, list) and len(names) == len(numbers):
            _judge_inserted(names, numbers, added, found)
        else:
            found.add("tokenizer.template", Severity.HIGH, "a token that is put around every text has no number")


def _judge_inserted(names: list[object], numbers: list[object], added: Mapping[str, object], found: Findings) -> None:
    for name, number in zip(names, numbers, strict=True):
        if not isinstance(name, str) or name not in added or added[name] != number:
            text = f"a token that is put around every text is not the one it is named for: {_brief(name)}"
            found.add("tokenizer.template", Severity.HIGH, text)


def _vocabulary(value: object) -> tuple[tuple[str, object], ...]:
    """Words and their numbers: an object, or a list of words with their scores."""
    if not isinstance(value, list):
        return members(value)
    words = (item[0] if isinstance(item, list) and item else item for item in value)
    return tuple((word if isinstance(word, str) else "", number) for number, word in enumerate(words))


def _judge_vocabulary(vocabulary: tuple[tuple[str, object], ...], found: Findings) -> None:
    """Each word is there once, and each number; a vocabulary of several languages is one of other objects."""
    if not all(isinstance(number, int) and not isinstance(number, bool) for _, number in vocabulary):
        if any(not members(number) for _, number in vocabulary):
            found.add("tokenizer.structure", Severity.HIGH, "a word has something else than a number")
        return
    words: dict[object, str] = {}
    seen: set[str] = set()
    shown_count = 0
    for word, number in vocabulary:
        if number in words or word in seen:
            shown_count += 1
            text = f"two words have one number, or one word two: {_brief(word)} and {_brief(words.get(number, word))}"
            found.add("tokenizer.duplicate", Severity.HIGH, text)
        if shown_count >= _SHOWN:
            return
        words[number] = word
        seen.add(word)


def _judge_added(value: object, vocabulary: tuple[tuple[str, object], ...], found: Findings) -> dict[str, object]:
    """Tokens that are looked for before anything else; gives the number of each, those of special pieces too."""
    tokens = [dict(members(item)) for item in value] if isinstance(value, list) else []
    asked = {
        value for item in tokens for value in (item.get("content"), item.get("id")) if isinstance(value, (str, int))
    }
    by_word = {word: number for word, number in vocabulary if word in asked}
    by_number = {number: word for word, number in vocabulary if isinstance(number, int) and number in asked}
    numbers: dict[str, object] = {}
    taken: set[int] = set()
    for token in tokens:
        word, number = token.get("content"), token.get("id")
        if not isinstance(word, str) or not word or not isinstance(number, int):
            found.add("tokenizer.structure", Severity.HIGH, "an added token has no text, or no number")
            continue
        old = by_number.get(number, word)
        if by_word.get(word, number) != number or (old != word and not _PLACEHOLDER.fullmatch(old)):
            text = f"an added token takes another word's number, or gives a word another: {_brief(word)}"
            found.add("tokenizer.remap", Severity.HIGH, text)
        if word in numbers or number in taken:
            found.add("tokenizer.duplicate", Severity.HIGH, f"two added tokens are one: {_brief(word)}")
        if token.get("special") is True:
            _judge_special(word, found)
        numbers[word] = number
        taken.add(number)
    return numbers


def _judge_special(word: str, found: Findings) -> None:
    """Special tokens are left out of what people read, and are obeyed rather than read by a model."""
    letters = word.replace(" ", "")
    if len(letters) > 1 and letters.isalpha() and word not in _NAMES:
        found.add("tokenizer.special_word", Severity.HIGH, f"an ordinary word counts as special: {_brief(word)}")


def _judge_settings(root: object, found: Findings) -> None:
    """Settings of a tokenizer, which go before those of `tokenizer.json`."""
    for key, value in members(root):
        if key in _TOKEN_KEYS:
            for word in texts(dict(members(value)).get("content") if members(value) else value):
                _judge_special(word, found)
        elif key == "added_tokens_decoder":
            _judge_decoder(value, found)
        elif key in {"additional_special_tokens", "extra_special_tokens"}:
            for name, _ in members(value):
                if not name.endswith(("token", "tokens")):  # templates see these names as variables
                    text = f"a special token is no token by its name: {_brief(name)}"
                    found.add("tokenizer.special_name", Severity.HIGH, text)
            for word in texts(value):
                _judge_special(word, found)


def _judge_decoder(value: object, found: Findings) -> None:
    seen: set[str] = set()
    for number, token in members(value):
        fields = dict(members(token))
        word = fields.get("content")
        if not isinstance(word, str) or not number.isdecimal():
            found.add("tokenizer.structure", Severity.HIGH, "an added token has no text, or no number")
            continue
        if word in seen:
            found.add("tokenizer.duplicate", Severity.HIGH, f"two added tokens are one: {_brief(word)}")
        seen.add(word)
        if fields.get("special") is True:
            _judge_special(word, found)


def _pattern(value: object) -> object:
    return next((pattern for _, pattern in members(value)), value)


def _matches_letters(pattern: object) -> bool:
    """Whether a rule is about more than spaces and punctuation."""
    for name, text in members(pattern) or (("String", pattern),):
        if isinstance(text, str) and (not _is_gaps(text) if name == "Regex" else _has_letter(text)):
            return True
    return False


def _is_gaps(pattern: str) -> bool:
    """Whether an expression matches no letter; a range between two marks may hold some."""
    ranges = ((ord(first), ord(last)) for first, last in _RANGE.findall(pattern))
    letters = (last - first > _WIDE or any(map(str.isalnum, map(chr, range(first, last)))) for first, last in ranges)
    return _GAPS.fullmatch(pattern) is not None and not any(letters)


def _has_letter(value: object) -> bool:
    return isinstance(value, str) and value not in _MARKS and _LETTER.search(value) is not None


def _charsmap_problem(value: object) -> str | None:
    try:
        return check_charsmap(base64.b64decode(value, validate=True)) if isinstance(value, str) else "it is no text"
    except ValueError:
        return "it is not base64"


def _brief(value: object) -> str:
    return shown(value, 60) if isinstance(value, str) else type(value).__name__.lower()
