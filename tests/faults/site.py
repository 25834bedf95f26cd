"""What every fault happens to: a webhook that is asked for good and bad images of a registry behind a proxy."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.load import DEADLINE_S, RATE, RECOVERY_S, Load, Oracle, Subject, Window
from tests.support.certificates import Authority, Pair
from tests.support.registries import Registry
from tests.support.webhook import Process
from tests.support.webhook_site import Site

Told = Callable[[dict[str, Any]], None]
GOOD: Final = 6
LIMITS: Final = {"deadline": f"{DEADLINE_S}s", "queue": 200, "concurrent": 8}


class Fronted(Registry):
    """A registry that is reached by another name or port than its own."""

    front: str = ""

    @property
    def host(self) -> str:
        return self.front or super().host


def fronted(registry: Registry, host: str) -> Registry:
    """The same registry by another name."""
    found = Fronted.__new__(Fronted)
    found.__dict__.update(registry.__dict__)
    found.front = host
    return found


def subjects(site: Site, mark: str) -> list[Subject]:
    """Good and bad by turns; `mark` makes the images those of one test."""
    good = [site.good(f"{mark}-good-{number}") for number in range(GOOD)]
    tagged = site.good(f"{mark}-tagged").partition("@")[0] + f":{mark}-tagged"
    lacking = {
        "unsigned": (site.image(f"{mark}-unsigned"),),
        "of a stranger": (site.image(f"{mark}-stranger", "stranger", "provenance"),),
        "without provenance": (site.image(f"{mark}-unproved", "signature"),),
        "good beside bad": (good[0], site.image(f"{mark}-beside")),
        "by tag": (tagged,),
        "of another registry": ("registry.example/team/app@sha256:" + "1" * 64,),
    }
    found = []
    for image, (name, images) in zip(good, lacking.items(), strict=True):
        found += [Subject("good", True, (image,)), Subject(name, False, images)]
    return found


def configured(site: Site, **admission: Any) -> None:
    site.configure(admission={"listing": "1s", "limits": LIMITS, **admission})


@dataclass
class Run:
    """A webhook under load."""

    site: Site
    process: Process
    load: Load
    windows: list[Window] = field(default_factory=list)

    @contextmanager
    def fault(self, name: str, fits: Collection[str]) -> Iterator[Window]:
        """What happens within is a fault, and has ended at its end: after 10 seconds at most all is well again."""
        window = Window(name, fits, time.monotonic())
        self.windows.append(window)
        yield window
        window.ended = time.monotonic()
        recovered = self.load.recovered(window.ended)
        assert recovered <= RECOVERY_S, f"{name}: it took {recovered:.1f} s until good images were let in again"
        window.over = window.ended + recovered

    def figures(self, *, answers: bool = True) -> dict[str, Any]:
        """What the oracle says, after the load has ended."""
        return Oracle(self.site, list(self.load.asked), self.windows, answers).figures()

    def is_ready(self) -> bool:
        return self.process.get("/readyz")[0] == 200


@contextmanager
def under_load(
    site: Site,
    authority: Authority,
    pair: Pair,
    asked: list[Subject],
    *options: str,
    environment: Mapping[str, str] | None = None,
    rate: float = RATE,
) -> Iterator[Run]:
    """A started webhook that is asked all the time, and lets in what is good when this begins."""
    with site.serve(pair, *options, **(environment or {})) as process:
        process.started()
        with Load(process.port, authority, site, asked, rate) as load:
            yield Run(site, process, load.warm())


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
