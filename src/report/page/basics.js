"use strict";
// Everything that a document says is set as the text of a node, never as markup.

const $ = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en-US");
const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const percent = (share) => `${(share * 100).toFixed(1)}%`.replace(".0%", "%");
const words = (name) => (name || "").replaceAll("_", " ");

/** Shows what would be unseen or turn the line around. */
const visible = (text) =>
  String(text).replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
      (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

/** Makes an element: attributes by name, listeners as functions, children as nodes or text. */
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined)
    .map((child) => (child instanceof Node ? child : visible(child))));
  return node;
};
const said = (text) => make("bdi", {}, text ?? "");
const button = (text, click, attributes = {}) => make("button", { type: "button", click, ...attributes }, text);
const facts = (pairs) => make("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
  .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
const tell = (text) => { $("status").textContent = text; };

/** Opens what is packed in a script element. */
const unpack = async (id) => {
  const bytes = Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};

let data;
/** Texts stand last in the page, in packed parts, so that the lists are there before all of it is read. */
const whole = new Promise((done) => { document.addEventListener("DOMContentLoaded", done); });
const parts = new Map();
const textOf = async (at) => {
  const place = data.documents[at].text;
  if (!place) return null;
  if (!parts.has(place[0])) parts.set(place[0], whole.then(() => unpack(`part-${place[0]}`)));
  return (await parts.get(place[0]))[place[1]];
};
const title = (one) => one.headline || one.id;

/** How many rows a list shows before it is asked for more. */
const PAGE = 25;

/** A list that can be searched, sorted, and shown piece by piece. Columns: name, value to sort by, cell. Filters: name, values,
 * and the value of a row, or its values. */
const list = (place, { rule, rows, columns, text, filters = [], sort, caption }) => {
  let shown = PAGE, order = sort, query = "";
  const chosen = filters.map(() => "");
  const haystack = new Map();
  const body = make("tbody");
  const heads = columns.map((column, at) => make("th", { scope: "col", class: column.number && "number" },
    column.value ? button(column.name, () => {
      order = { at, down: order && order.at === at ? !order.down : Boolean(column.number) };
      shown = PAGE;
      draw();
    }) : column.name));
  const more = button("", () => { shown += 4 * PAGE; draw(); });
  const found = make("p", { class: "note", role: "status" });
  const draw = () => {
    const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
    let kept = rows.filter((row) => {
      if (!filters.every((filter, at) => !chosen[at] || [filter.of(row)].flat().includes(chosen[at]))) return false;
      if (!wanted.length) return true;
      if (!haystack.has(row)) haystack.set(row, text(row).join("\n").toLowerCase());
      return wanted.every((word) => haystack.get(row).includes(word));
    });
    if (order) {
      const value = columns[order.at].value, sign = order.down ? -1 : 1;
      const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
      // What has no value stands last, whichever way.
      kept = kept.map((row, at) => [row, value(row), at]).sort(([, a, i], [, b, j]) =>
        (a === null || a === undefined) - (b === null || b === undefined) || sign * compare(a, b) || i - j).map(([row]) => row);
    }
    heads.forEach((head, at) => {
      if (order && order.at === at) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    body.replaceChildren(...kept.slice(0, shown).map((row) => make("tr", {}, columns.map((column, at) => at === 0
      ? make("th", { scope: "row" }, column.cell(row))
      : make("td", { class: column.number && "number", "data-name": column.name }, column.cell(row))))));
    found.textContent = kept.length === rows.length ? "" : `${count(kept.length)} of ${count(rows.length)} match.`;
    if (rows.length && !kept.length) found.textContent = "Nothing matches.";
    more.hidden = kept.length <= shown;
    more.textContent = `Show more (${count(kept.length - shown)} left)`;
  };
  const search = make("input", { type: "search", autocomplete: "off", input: (event) => { query = event.target.value; shown = PAGE; draw(); } });
  const tools = make("div", { class: "tools" }, make("label", { class: "search" }, `Search ${caption.toLowerCase()}`, search),
    filters.map((filter, at) => make("label", {}, filter.name, make("select", { change: (event) => { chosen[at] = event.target.value; shown = PAGE; draw(); } },
      make("option", { value: "" }, "all"), filter.values.map((value) => make("option", { value }, words(value)))))));
  place.replaceChildren(rule && rows.length ? make("p", { class: "rule" }, rule) : "", rows.length > 5 ? tools : "",
    rows.length ? make("div", { class: "wide" }, make("table", { class: "cards", "aria-label": caption }, make("thead", {}, make("tr", {}, heads)), body)) : make("p", { class: "none" }, "None."),
    found, more);
  draw();
};
const distinct = (values) => [...new Set(values)].filter(Boolean).sort();
