"""Debian's Chromium, driven by Playwright: pages of one file, without network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that is gone at the end."""
    found = shutil.which("chromium")
    assert found is not None, "chromium is not installed: apt-get install chromium fonts-dejavu-core"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Opened:
    """A page with what it asked the network for and what it complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def refuse(self, dialog: Dialog) -> None:
        """A page that opens a dialog is one to complain about."""
        self.complaints.append(dialog.message)
        dialog.dismiss()


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1400, height: int = 1000, **options: Any) -> Iterator[Opened]:
    """The file in a window of its own, which cannot reach any network."""
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
    try:
        found = Opened(context.new_page())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("dialog", found.refuse)
        found.page.goto(file.as_uri())
        yield found
    finally:
        context.close()


# For each element with text of its own: the contrast of the text with what is behind it (WCAG 2.2, 1.4.3).
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = rgba(colour).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const box = node.closest(".node")?.querySelector("rect");
    if (box) return getComputedStyle(box).fill;
    for (let up = node; up; up = up.parentElement) {
      const colour = getComputedStyle(up).backgroundColor;
      if (rgba(colour)[3] === 255) return colour;
    }
    return "Canvas";
  };
  const found = {};
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.checkVisibility() || ["SCRIPT", "STYLE", "OPTION", "title"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(node.ownerSVGElement ? style.fill : style.color), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = `${node.tagName}.${node.getAttribute("class") ?? ""}`;
    found[name] = Math.min(found[name] ?? 99, ratio);
  }
  return found;
}"""
