"""What most readers of reports do alike: names are tied to files, what was looked at and found becomes a scan.

A reader tells a `Reading` what the report says; the rules by which that is a complete scan of an artifact are here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from gate.formats.reports.common import PATH_CHARACTERS, Locator, Place, clean, cut, join, owners
from gate.model.digest import Digest, sha256_digest
from gate.model.scan import Basis, Coverage, Finding, RawReport, Scan, ScanStatus

WHOLE: Final = "."
"""The name below which an artifact without files, an image, counts as scanned, with its own digest."""
_RANK: Final = (ScanStatus.COMPLETE, ScanStatus.INCOMPLETE, ScanStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Names:
    """Ties the names in a report to files, by way of `target`: what the tool was told to scan, relative to anywhere.

    A file of the same name below another target is another file.
    """

    locator: Locator
    target: str

    def find(self, name: str) -> Place | None:
        """The file that a name stands for."""
        if max(len(name), len(self.target)) > PATH_CHARACTERS:
            return None
        target, about = clean(self.target), clean(self.locator.about_path)
        for whole in owners(name):
            full = clean(whole)
            if full.startswith("/") and not (full + "/").startswith(f"{target}/"):
                continue
            if full == target or full.startswith(f"{target}/") or not target:
                place = self.locator.at(full)
            elif full == target.rpartition("/")[2]:
                place = self.locator.at(target) or self.locator.at(join(target, whole))
            else:
                place = self.locator.at(join(target, whole))
            if place is None and (not target or f"/{about}".endswith(f"/{target}")):
                place = self.locator.at(join(about, whole))
            if place is not None:
                return place
        return None


@dataclass(slots=True)
class Reading:
    """What a report comes to. The worst status counts, with the first reason for it."""

    raw: RawReport
    names: Names
    status: ScanStatus = ScanStatus.COMPLETE
    problem: str | None = None
    findings: list[Finding] = field(default_factory=list)
    scanned: dict[Place, Digest] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    named: int = 0

    def worse(self, status: ScanStatus, problem: str) -> None:
        """Lowers the status, if it is not as low already."""
        if _RANK.index(status) > _RANK.index(self.status):
            self.status, self.problem = status, cut(problem)

    def looked_at(self, name: str) -> None:
        """The report names something as scanned; a file of an artifact counts by the digest that it has."""
        self.named += 1
        self._add(self.names.find(name))

    def looked_at_all(self) -> None:
        """The report names no files, but is said to be about one artifact: then it is about all of it."""
        if self.raw.artifact is None:
            self.worse(ScanStatus.INCOMPLETE, "it does not say what was scanned: name its artifact in gate.yaml")
            return
        self.named += 1
        artifact = self.names.locator.artifacts[self.raw.artifact]
        for file in artifact.files:
            self._add(Place(artifact.name, file))
        if artifact.path is None and artifact.digest is not None:
            self.scanned[Place(artifact.name, WHOLE)] = artifact.digest

    def looked_below(self, folder: str) -> None:
        """The report says that everything below a folder was scanned, or that one file was."""
        self.named += 1
        if ".." in folder.split("/"):
            return
        for name, artifact in self.names.locator.artifacts.items():
            if artifact.path is None or self.raw.artifact not in {None, name}:
                continue
            for file in artifact.files:
                path = join(artifact.path, file) if artifact.is_folder else clean(artifact.path)
                if _is_below(path, clean(folder), least=1 if self.raw.artifact else 2):
                    self._add(Place(name, file))

    def looked_at_image(self, digests: Iterable[str]) -> None:
        """The report is about an image with one of these digests."""
        self.named += 1
        known = {text.rpartition("@")[2] for text in digests}
        for name, artifact in self.names.locator.artifacts.items():
            if artifact.digest in known and artifact.path is None and self.raw.artifact in {None, name}:
                self.scanned[Place(name, WHOLE)] = artifact.digest

    def met_error(self, name: str, text: str) -> None:
        """A file, or whatever the report names, was not judged."""
        place = self.names.find(name)
        self.errors[place.file if place else cut(name, 500) or "?"] = cut(text, 500)

    def found(self, finding: Finding, name: str | None = None) -> None:
        """A finding, in the file of that name."""
        place = self.names.find(name) if name else None
        if place is not None:
            finding = replace(finding, artifact=place.artifact, file=place.file)
        elif not name:
            finding = replace(finding, artifact=self.raw.artifact)
        self.findings.append(finding)

    def scan(self, tool: str, version: str = "", database_at_s: int = 0) -> Scan:
        """The scan. A scan of nothing, of other files or of files of several artifacts is not complete."""
        about = self.raw.artifact or self._only_artifact()
        coverage = self._coverage(about)
        if self.errors:
            self.worse(ScanStatus.INCOMPLETE, f"{len(self.errors)} things met an error or were skipped")
        if not self.named:
            self.worse(ScanStatus.INCOMPLETE, "nothing is named as scanned")
        if not self.scanned:
            self.worse(ScanStatus.INCOMPLETE, "other target: nothing that was scanned is an artifact or a file of one")
        if not coverage.scanned:
            self.worse(ScanStatus.INCOMPLETE, "the scanned files are not those of one artifact")
        return Scan(
            tool=tool,
            version=cut(version, 100),
            basis=Basis.OBSERVED,
            artifact=about,
            report=sha256_digest(self.raw.data or b""),
            status=self.status,
            coverage=coverage,
            findings=tuple(self.findings),
            database_at_s=database_at_s,
            origin=self.raw.origin,
            problem=self.problem,
        )

    def _add(self, place: Place | None) -> None:
        digest = self.names.locator.digest(place) if place is not None else None
        if place is not None and digest is not None:
            self.scanned[place] = digest

    def _only_artifact(self) -> str | None:
        names = {place.artifact for place in self.scanned}
        return names.pop() if len(names) == 1 else None

    def _coverage(self, about: str | None) -> Coverage:
        if about is None:
            return Coverage(expected=0, errors=self.errors)
        files: list[str] = list(self.names.locator.files(about)) or [WHOLE]
        scanned = {
            place.file: digest
            for place, digest in self.scanned.items()
            if place.artifact == about and place.file not in self.errors
        }
        missing = {
            file: "the report does not name it" for file in files if file not in scanned and file not in self.errors
        }
        return Coverage(expected=len(files), scanned=scanned, missing=missing, errors=self.errors)


def _is_below(path: str, folder: str, *, least: int) -> bool:
    """Whether a path from the root lies below a folder, or is it.

    An absolute folder counts if it ends as one of the path's own folders does, in at least so many parts.
    """
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    if not folder.startswith("/"):
        return not folder or folder in above
    return any(folder.endswith(f"/{item}") for item in above[least - 1 :])
