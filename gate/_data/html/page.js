"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const form = one("filters"), shown = one("shown"), heat = one("heat");
  const fields = ["s", "c", "a", "f", "e"];

  // A table of many rows is laid out group by group, as it is scrolled to. What CSS then makes of its elements are no
  // parts of a table any more, so they get their roles by name.
  const GROUP = 20;
  const roles = { THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  const chunk = (table) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length <= 100) return;
    const heads = [...table.tHead.rows[0].cells];
    const widths = heads.map((head) => (head.className ? `var(--${head.className})` : "minmax(0, 1fr)"));
    table.style.setProperty("--columns", widths.join(" "));
    const bodies = [];
    for (let start = 0; start < rows.length; start += GROUP) {
      const body = document.createElement("tbody");
      body.append(...rows.slice(start, start + GROUP));
      bodies.push(body);
    }
    table.tBodies[0].replaceWith(...bodies);
    table.classList.add("chunked");
    table.setAttribute("role", "table");
    for (const node of table.querySelectorAll("thead, tbody, tr, td")) node.setAttribute("role", roles[node.tagName]);
    for (const node of table.querySelectorAll("th")) node.setAttribute("role", node.scope === "col" ? "columnheader" : "rowheader");
  };
  document.querySelectorAll(".heavy table").forEach(chunk);
  const chunks = [...document.querySelectorAll(".chunked tbody")];

  // Each part that can be filtered: the rows of it, with what they are filtered by.
  const parts = [...document.querySelectorAll(".count")].map((place) => {
    const section = one(place.dataset.of);
    const items = [...section.querySelectorAll(".item")].map((node) => ({ node, data: node.dataset, text: null }));
    return { place, name: place.dataset.of, items, left: items.length };
  });
  const cards = [...one("why").querySelectorAll(".item")].map((node) => ({ node, data: node.dataset, text: null }));
  const groups = [...document.querySelectorAll("details.part")];

  const textOf = (item) => {
    // Of a row of the map its name; its cells are no words to look for.
    const source = item.node.parentNode.parentNode === heat ? item.node.cells[0] : item.node;
    return source.textContent.toLowerCase();
  };
  // A row without the attribute is about all of them; an artifact that is not named is not meant.
  const fits = (item, words, wanted) =>
    wanted.every(([key, value]) => {
      const has = item.data[key];
      return has === undefined || (key === "s" || key === "e" ? has === value : has.split(" ").includes(value));
    }) && words.every((word) => (item.text ??= textOf(item)).includes(word));

  const plural = (count, all, noun) => `${count} of ${all} ${noun}`;
  const nouns = { map: "artifacts in the map", findings: "findings", evidence: "items of evidence", lineage: "drawings",
    controls: "controls", exceptions: "exceptions", frameworks: "lines of frameworks" };

  let wasActive = false;
  const filter = () => {
    const words = one("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = fields.map((key) => [key, one(key).value]).filter(([, value]) => value !== "");
    const active = words.length > 0 || wanted.length > 0;
    const apply = (items) => {
      let left = 0;
      for (const item of items) {
        const visible = fits(item, words, wanted);
        left += visible;
        if (item.node.hidden === visible) item.node.hidden = !visible;
      }
      return left;
    };
    const kept = apply(cards);
    for (const part of parts) {
      part.left = apply(part.items);
      part.place.textContent = active ? `(${plural(part.left, part.items.length, "shown")})` : `(${part.items.length})`;
    }
    for (const body of chunks) {
      let left = 0;
      for (const row of body.rows) left += !row.hidden;
      body.hidden = left === 0;
      body.style.setProperty("--rows", left);
    }
    // A framework is folded until something is looked for in it.
    for (const group of groups) {
      const empty = !group.querySelector(".item:not([hidden])");
      if (group.hidden !== empty) group.hidden = empty;
      if (groups.length > 1 && (active || wasActive)) group.open = active && !empty;
    }
    wasActive = active;
    const lines = parts.filter((part) => part.items.length).map((part) => plural(part.left, part.items.length, nouns[part.name]));
    if (cards.length) lines.push(plural(kept, cards.length, "controls that refuse or warn"));
    shown.textContent = active ? `Filtered: ${lines.join(", ")}.` : "";
  };
  let asked = 0;
  const soon = () => {
    if (!asked) asked = requestAnimationFrame(() => { asked = 0; filter(); });
  };
  form.addEventListener("input", soon);
  form.addEventListener("submit", (event) => event.preventDefault());
  one("clear").addEventListener("click", () => { form.reset(); filter(); one("q").focus(); });

  one("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const now = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });

  // Paper shows what is folded away, but drawings that nobody opened.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open]):not(.drawing):not(.words)")];
    for (const item of opened) item.open = true;
  });
  addEventListener("afterprint", () => { for (const item of opened) item.open = false; });
  one("print").addEventListener("click", () => print());

  // The map is a grid with one stop for the Tab key; arrows move inside.
  heat.setAttribute("role", "grid");
  for (const cell of heat.querySelectorAll("td[role]")) cell.setAttribute("role", "gridcell");
  let current = heat.querySelector("td");
  if (current) current.tabIndex = 0;
  const words = (cell) => {
    const name = cell.parentNode.cells[0].firstChild.textContent.trim();
    return `${name}, ${heat.tHead.rows[0].cells[cell.cellIndex].textContent}: ${cell.textContent}`;
  };
  const stand = (cell) => {
    current.tabIndex = -1;
    current = cell;
    cell.tabIndex = 0;
    cell.focus();
    one("map-cell").textContent = words(cell);
  };
  const rowsShown = () => [...heat.querySelectorAll("tbody tr")].filter((row) => !row.hidden);
  const moves = {
    ArrowRight: (cell) => cell.nextElementSibling,
    ArrowLeft: (cell) => cell.previousElementSibling,
    Home: (cell) => cell.parentNode.cells[1],
    End: (cell) => cell.parentNode.lastElementChild,
  };
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
  const show = (cell) => {
    const row = cell.parentNode.dataset.a;
    one("c").value = heat.tHead.rows[0].cells[cell.cellIndex].dataset.c;
    one("a").value = row;
    filter();
    one("findings").scrollIntoView();
    one("findings-head").focus();
  };
  const hasFindings = (cell) => /^(?:fail|warn|waived|reused)/.test(cell.className);
  heat.addEventListener("keydown", (event) => {
    const cell = event.target;
    if (cell.tagName !== "TD") return;
    let next = null;
    if (event.key in moves) next = moves[event.key](cell);
    else if (event.key in steps) {
      const rows = rowsShown();
      const place = Math.max(0, Math.min(rows.length - 1, rows.indexOf(cell.parentNode) + steps[event.key]));
      next = rows[place]?.cells[cell.cellIndex];
    } else if (event.key === "Enter" && hasFindings(cell)) show(cell);
    else return;
    event.preventDefault();
    if (next?.tagName === "TD") stand(next);
  });
  heat.addEventListener("click", (event) => {
    if (event.target.tagName === "TD" && hasFindings(event.target)) show(event.target);
  });
  heat.addEventListener("mouseover", (event) => {
    if (event.target.tagName === "TD") one("map-cell").textContent = words(event.target);
  });

  // Nobody types as soon as a page is open: what will be searched is made ready until then.
  requestIdleCallback?.(() => { for (const part of parts) for (const item of part.items) item.text ??= textOf(item); });
  one("tools").hidden = false;
  one("tools").open = innerWidth >= 640;
  filter();
})();
