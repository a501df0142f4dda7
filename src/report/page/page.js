"use strict";
// Everything that a document says is set as the text of a node, never as markup.

const $ = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en-US");
const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const percent = (share) => `${(share * 100).toFixed(1)}%`;
const words = (name) => (name || "").replaceAll("_", " ");

/** Shows what would be unseen or turn the line around. */
const visible = (text) =>
  String(text).replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
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
const parts = new Map();
const textOf = async (at) => {
  const place = data.documents[at].text;
  if (!place) return null;
  if (!parts.has(place[0])) parts.set(place[0], unpack(`part-${place[0]}`));
  return (await parts.get(place[0]))[place[1]];
};
const title = (one) => one.headline || one.id;

/** How many rows a list shows before it is asked for more. */
const PAGE = 25;

/** A list that can be searched, sorted, and shown piece by piece. Columns: name, value to sort by, cell. */
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
  const found = make("p", { class: "note" });
  const draw = () => {
    const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
    let kept = rows.filter((row) => {
      if (!filters.every((filter, at) => !chosen[at] || filter.of(row) === chosen[at])) return false;
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
    if (!kept.length) found.textContent = "Nothing matches.";
    more.hidden = kept.length <= shown;
    more.textContent = `Show more (${count(kept.length - shown)} left)`;
  };
  const search = make("input", { type: "search", autocomplete: "off", input: (event) => { query = event.target.value; shown = PAGE; draw(); } });
  const tools = make("div", { class: "tools" }, make("label", { class: "search" }, `Search ${caption.toLowerCase()}`, search),
    filters.map((filter, at) => make("label", {}, filter.name, make("select", { change: (event) => { chosen[at] = event.target.value; shown = PAGE; draw(); } },
      make("option", { value: "" }, "all"), filter.values.map((value) => make("option", { value }, words(value)))))));
  place.replaceChildren(rule ? make("p", { class: "rule" }, rule) : "", rows.length > 5 ? tools : "",
    rows.length ? make("div", { class: "wide" }, make("table", { class: "cards", "aria-label": caption }, make("thead", {}, make("tr", {}, heads)), body)) : make("p", { class: "none" }, "None."),
    found, more);
  draw();
};
const distinct = (values) => [...new Set(values)].filter(Boolean).sort();

// ---- corrections

const corrections = { pairs: new Map(), copies: new Map(), rules: new Map() };
let exported = true;
const changed = () => {
  exported = false;
  showCorrections();
};
/** A button that makes a correction, and takes it back when it is pressed again. */
const correct = (label, map, key, value) => {
  const node = button(label, () => {
    if (map.get(key)?.same === value.same && map.has(key)) map.delete(key);
    else map.set(key, value);
    changed();
    node.setAttribute("aria-pressed", String(map.has(key)));
    tell(map.has(key) ? `Noted: ${label}` : `Taken back: ${label}`);
  }, { "aria-pressed": String(map.has(key)) });
  return node;
};
const notSame = (a, b) => (a.whole_id && b.whole_id ? correct("Not the same story", corrections.pairs,
  JSON.stringify([a.id, b.id].sort()), { a: a.id, b: b.id, same: "different" }) : null);
const same = (a, b) => (a.whole_id && b.whole_id ? correct("The same story", corrections.pairs,
  JSON.stringify([a.id, b.id].sort()), { a: a.id, b: b.id, same: "same" }) : null);
const keepThis = (one) => (one.whole_id ? correct("Keep this one", corrections.copies, one.id, { id: one.id, same: "keep" }) : null);
const isContent = (text, site, how = "line") => correct("This is content", corrections.rules, JSON.stringify([text, site, how]), { text, site, how, same: "keep" });

const csv = (text) => (/^[A-Za-z0-9._/:-]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`);
const decisionsFile = () => {
  const lines = [...corrections.pairs.values()].map((pair) => `${csv(pair.a)},${csv(pair.b)},${pair.same}`);
  return lines.concat([...corrections.copies.values()].map((copy) => `${csv(copy.id)},keep`)).map((line) => `${line}\n`).join("");
};
const toml = (text) => `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")
  .replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
const rulesFile = () => [...corrections.rules.values()].map((rule) =>
  `[[rule]]\ntext = ${toml(rule.text)}\nmatch = "${rule.how}"\n${rule.site ? `site = ${toml(rule.site)}\n` : ""}action = "keep"\n`).join("\n");

const save = (name, text) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  exported = true;
  tell(`Saved ${name}`);
};
const showCorrections = () => {
  const all = corrections.pairs.size + corrections.copies.size + corrections.rules.size;
  $("decided").hidden = !all;
  $("decided").textContent = String(all);
  const file = (name, flag, text, told) => make("div", {}, make("h3", {}, name), make("p", { class: "note" }, told),
    make("textarea", { readonly: true, "aria-label": name, rows: 8 }, ""), make("div", { class: "actions" },
      button(`Save ${name}`, () => save(name, text), { disabled: !text }), make("code", {}, `retold scan … ${flag} ${name}`)));
  const files = make("div", { class: "files" },
    file("decisions.csv", "--decisions", decisionsFile(), "Which documents are one story, and which copy is kept."),
    file("rules.toml", "--rules", rulesFile(), "Which blocks are content, whatever they look like."));
  // A text field holds its text as it is: what is saved must be what is shown.
  [decisionsFile(), rulesFile()].forEach((text, at) => { files.querySelectorAll("textarea")[at].value = text; });
  $("correction-list").replaceChildren(make("p", { class: "rule" }, all
    ? `${counted(all, "correction")}. Nothing is changed until you save the files and scan with them; a correction pressed again is taken back.`
    : "Press “Not the same story”, “Keep this one” or “This is content” anywhere in this report. The corrections gather here, as files that a scan follows."), files);
};
addEventListener("beforeunload", (event) => { if (!exported) event.preventDefault(); });

// ---- texts

/** The words of a text as they were compared: runs of anything but blanks, and single characters of scripts without them. */
const WORD = /[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^ \t\n\r\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+/g;
const kindOf = (piece) => (piece[1] === null ? "content by rule" : words(data.kinds[piece[1]]));

/** A text as events: words with their number, what stands between them, and blocks that are removed. */
const events = function* (text) {
  let number = 0;
  for (const piece of text.pieces) {
    const content = typeof piece === "string" ? piece : piece[0];
    if (typeof piece !== "string" && piece[3]) {
      yield { block: piece };
      continue;
    }
    let at = 0;
    for (const match of content.matchAll(WORD)) {
      if (match.index > at) yield { gap: content.slice(at, match.index) };
      yield { word: match[0], number: number++ };
      at = match.index + match[0].length;
    }
    if (at < content.length) yield { gap: content.slice(at) };
  }
};

/** Two texts as rows: a line of the left one beside what the right one says there, differing words marked. */
const sideBySide = (left, right, runs, names) => {
  const rows = [];
  let cells;
  const open = () => { cells = [[], []]; rows.push(cells); };
  open();
  const sources = [events(left), events(right)];
  const ahead = sources.map((source) => source.next());
  const step = (side) => { const event = ahead[side].value; ahead[side] = sources[side].next(); return event; };
  const put = (side, tag, text) => {
    const cell = cells[side], last = cell[cell.length - 1];
    if (last && last.tag === tag) last.text += text;
    else cell.push({ tag, text });
  };
  /** Takes events of a side up to and including so many words. */
  const take = (side, wanted, tag) => {
    let taken = 0;
    while (!ahead[side].done) {
      const event = ahead[side].value;
      step(side);
      if (event.block) cells[side].push({ block: event.block });
      else if (event.gap !== undefined) {
        const end = event.gap.indexOf("\n");
        if (end < 0) put(side, cells[side].at(-1)?.tag === tag ? tag : "", event.gap);
        else if (side === 0 && (cells[0].length || cells[1].length)) return "line";
        else if (side === 1) put(side, "", event.gap.replace(/\s*\n\s*/g, "\n"));
      } else {
        put(side, tag, event.word);
        taken += 1;
        // What follows is taken with the next word, so that a line of the left text begins a row before it.
        if (taken === wanted) return;
      }
    }
  };
  const wordsOf = (side, number, tag) => {
    // A word at a time, so that a line of the left text begins a row.
    while (number > 0) {
      if (take(side, 1, tag) === "line") open();
      else number -= 1;
    }
  };
  for (let at = 0; at < runs.length; at += 3) {
    for (let word = 0; word < runs[at]; word += 1) {
      while (take(0, 1, "") === "line") open();
      take(1, 1, "");
    }
    wordsOf(0, runs[at + 1], "del");
    wordsOf(1, runs[at + 2], "ins");
  }
  while (take(0, Infinity, "") === "line") open();
  take(1, Infinity, "");
  const node = (part) => (part.block ? make("span", { class: "grey" }, part.block[0], " ", make("span", { class: "kind" }, kindOf(part.block)))
    : part.tag ? make(part.tag, {}, part.text) : document.createTextNode(visible(part.text)));
  const cell = (parts) => {
    let begins = true;
    return make("td", { dir: "auto" }, parts.flatMap((part) => {
      const before = part.block && !begins ? "\n" : "";
      if (!part.block && begins) part.text = part.text.replace(/^\n+/, "");
      if (part.block) begins = false;
      else if (part.text) begins = part.text.endsWith("\n");
      return [before, node(part)];
    }));
  };
  return make("table", { class: "diff" }, make("thead", {}, make("tr", {}, names.map((name) => make("th", { scope: "col" }, said(name))))),
    make("tbody", {}, rows.filter(([a, b]) => a.length || b.length).map(([a, b]) => make("tr", {}, cell(a), cell(b)))));
};

const ABSENT = {
  changed: "Its text has changed since the scan, so only what the scan wrote is shown.",
  missing: "Its file or record is no longer there, so only what the scan wrote is shown.",
  unavailable: "Texts are not at hand, so only what the scan wrote is shown. `scan --keep-texts` stores them.",
  no_room: "The page has no room for its text.",
};
const absence = (one) => (one.absent ? make("p", { class: "hint" }, ABSENT[one.absent])
  : one.text ? null : make("p", { class: "hint" }, "Its text is not in this page, which shows a part of all texts: see it with ", make("code", {}, "retold explain --from"), "."));

const why = (piece) => {
  const [, , , , , documents, sites, clusters, cue, rule, place] = piece;
  return [rule ? `rule of line ${rule}` : "", documents > 1 ? `in ${counted(documents, "document")} of ${counted(sites, "site")} and ${counted(clusters, "cluster")}` : "",
    cue ? `says “${visible(cue)}”` : "", `at the ${place}`].filter(Boolean).join(", ");
};
const blockNode = (piece, one) => make("div", { class: "block" }, make("span", { dir: "auto" }, piece[0]),
  make("span", { class: "side" }, make("span", { class: "kind" }, kindOf(piece)), ` ${piece[2].toFixed(2)}`),
  make("span", { class: "why" }, `Line ${piece[4]}, ${why(piece)}${piece[3] ? "" : "; stays"}`),
  make("span", { class: "side" }, piece[3] ? isContent(piece[0].trim(), one.site) : ""));

// ---- reader

let opened = 0;
const read = (heading, ...nodes) => {
  $("reader-title").textContent = visible(heading);
  $("reader-body").replaceChildren(...nodes.flat().filter(Boolean));
  if (!$("reader").open) $("reader").showModal();
  $("reader").scrollTop = 0;
  $("reader-title").focus();
};
const measures = (pair, a, b) => (pair ? [["Similarity", `${pair.jaccard.toFixed(3)} without boilerplate, ${pair.jaccard_raw.toFixed(3)} with it`],
  ["Containment", `${percent(pair.first_in_second)} of the ${a} is in the ${b}, ${percent(pair.second_in_first)} the other way`],
  ["Because", `${pair.reason} (${words(pair.relation)})`]] : []);

const compared = async (place, left, right, names) => {
  const ticket = ++opened;
  const [a, b] = [data.documents[left], data.documents[right]];
  const texts = await Promise.all([textOf(left), textOf(right)]);
  if (ticket !== opened) return;
  const runs = texts[1]?.differences[left];
  if (texts[0] && runs) {
    const short = texts.some((text) => text.cut) ? make("p", { class: "note" }, "A long text is shown up to its first 32 KiB.") : "";
    place.replaceChildren(short, sideBySide(texts[0], texts[1], runs, names));
  } else {
    place.replaceChildren(...[a, b].map((one) => absence(one) ?? "").filter(Boolean).slice(0, 1), make("p", { class: "none" }, "The two cannot be shown side by side."));
  }
};

const timeline = (cluster) => {
  const dated = [cluster.representative, ...cluster.members.map((member) => member.at)].map((at) => data.documents[at]).filter((one) => one && one.day !== null);
  if (dated.length < 2) return null;
  const days = dated.map((one) => one.day), first = Math.min(...days), span = Math.max(...days) - first;
  if (!span) return make("p", { class: "note" }, "All dated members are of one day.");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const dates = dated.slice().sort((a, b) => a.day - b.day);
  const told = `From ${dates[0].date} to ${dates[dates.length - 1].date}`;
  for (const [name, value] of Object.entries({ viewBox: "0 0 640 26", role: "img", "aria-label": visible(`Timeline. ${told}`) })) svg.setAttribute(name, value);
  const draw = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    svg.append(node);
    return node;
  };
  draw("line", { class: "axis", x1: 8, x2: 632, y1: 13, y2: 13 });
  for (const one of dated) {
    const label = document.createElementNS("http://www.w3.org/2000/svg", "title");
    label.textContent = visible(`${one.date} ${one.site ?? ""}`);
    draw("circle", { class: one === data.documents[cluster.representative] ? "bar apart" : "bar", cx: 8 + 624 * (one.day - first) / span, cy: 13, r: 5 }).append(label);
  }
  return make("div", { class: "timeline" }, svg, make("p", { class: "note" }, told, "; the representative is the other color."));
};

const openCluster = (cluster) => {
  const kept = data.documents[cluster.representative];
  const place = make("div", { "aria-live": "polite" });
  const buttons = [];
  const choose = (member, node) => {
    const one = data.documents[member.at];
    buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === node)));
    const diff = make("div", {}, make("p", { class: "none" }, "Opening…"));
    place.replaceChildren(facts([["Member", make("span", {}, said(one.id), one.date ? make("span", { class: "quiet" }, `, ${one.date}`) : "")],
      ["Its role", `${one.role}${one.keep ? ", kept by dedup" : ", dropped by dedup"}`], ...measures(member.pair, "representative", "member"),
      ...(member.pair ? [] : [["Relation", one.similarity === null ? null : `${words(one.relation)}, similarity ${one.similarity.toFixed(3)} to the representative`]])]),
      make("div", { class: "actions" }, notSame(kept, one), keepThis(one), button("Its blocks", () => openDocument(member.at))), diff);
    compared(diff, cluster.representative, member.at, [`Representative: ${kept.site ?? kept.id}`, `Member: ${one.site ?? one.id}`]);
  };
  const chips = cluster.members.map((member) => {
    const one = data.documents[member.at];
    const node = button(make("span", {}, said(one.site ?? one.id), one.similarity === null ? "" : ` ${one.similarity.toFixed(2)}`,
      one.relation === "contained" || one.relation === "contains" ? ` · ${one.relation}` : ""), () => choose(member, node), { "aria-pressed": "false" });
    buttons.push(node);
    return node;
  });
  const left = cluster.size - 1 - cluster.members.length;
  read(cluster.headlines[0] ?? cluster.id,
    facts([["Representative", kept ? make("span", {}, said(kept.id), `: ${cluster.reason}`) : cluster.reason],
      ["Documents", `${count(cluster.size)} on ${counted(cluster.site_count, "site")}`],
      ["Headlines", cluster.headline_count > 1 ? cluster.headlines.join(" · ") : null]]),
    kept ? make("div", { class: "actions" }, keepThis(kept), button("Its blocks", () => openDocument(cluster.representative))) : null,
    timeline(cluster), make("h3", {}, "Beside the representative"),
    make("div", { class: "actions members", role: "group", "aria-label": "Members" }, chips),
    left > 0 ? make("p", { class: "note" }, `The first ${count(cluster.members.length + 1)} of ${count(cluster.size)} documents are listed.`) : null, place);
  if (cluster.members.length && kept) choose(cluster.members[0], buttons[0]);
};

const openPair = (pair) => {
  const [a, b] = [data.documents[pair.a], data.documents[pair.b]];
  const place = make("div", {}, make("p", { class: "none" }, "Opening…"));
  read(`${title(a)} / ${title(b)}`, facts([["First", said(a.id)], ["Second", said(b.id)], ...measures(pair, "first", "second"),
    ["Verdict", pair.joined ? "one story" : "not one story"]]),
    make("div", { class: "actions" }, pair.joined ? notSame(a, b) : same(a, b), keepThis(a), keepThis(b)), place);
  compared(place, pair.a, pair.b, [a.id, b.id]);
};

const openDocument = async (at) => {
  const ticket = ++opened;
  const one = data.documents[at];
  const text = await textOf(at);
  if (ticket !== opened) return;
  const cluster = data.clusters.find((cluster) => cluster.representative === at || cluster.members.some((member) => member.at === at));
  read(title(one), facts([["Id", said(one.id)], ["Address", one.url && said(one.url)], ["Site", one.site && said(one.site)], ["Date", one.date],
    ["Language", one.lang], ["Words", `${count(one.words)}, ${count(one.content_words)} without boilerplate`],
    ["Role", `${one.role}${one.keep ? ", kept by dedup" : ", dropped by dedup"}`],
    ["Cluster", one.cluster_size > 1 ? make("span", {}, `${counted(one.cluster_size, "document")} of `, said(one.cluster)) : null],
    ["Decision", one.decision]]),
    make("div", { class: "actions" }, keepThis(one), cluster ? button("Its cluster", () => openCluster(cluster)) : null), absence(one),
    text ? make("div", { class: "text" }, text.pieces.map((piece) => (typeof piece === "string"
      ? make("div", { dir: "auto" }, piece.replace(/^\s*\n|\n\s*$/g, "")) : blockNode(piece, one)))) : null,
    text?.cut ? make("p", { class: "note" }, `${count(text.cut)} more bytes are not shown.`) : null);
};
$("reader-close").addEventListener("click", () => $("reader").close());

// ---- lists

const showSites = () => list($("sites"), {
  caption: "Sites", rows: data.sites, text: (site) => [site.site], sort: { at: 1, down: true },
  rule: data.sites.length < data.all_sites ? `The ${count(data.sites.length)} sites of most documents; a site is marked where more than ${percent(data.much)} of its words would go.`
    : `A site is marked where more than ${percent(data.much)} of its words would go.`,
  columns: [
    { name: "Site", value: (site) => site.site, cell: (site) => [said(site.site), site.removed_words > data.much * site.words ? make("span", { class: "warn" }, " loses much") : null] },
    { name: "Documents", number: true, value: (site) => site.documents, cell: (site) => count(site.documents) },
    { name: "Boilerplate", number: true, value: (site) => site.removed_words / (site.words || 1), cell: (site) => percent(site.removed_words / (site.words || 1)) },
    { name: "Duplicates dropped", number: true, value: (site) => site.dropped, cell: (site) => count(site.dropped) },
  ],
});
const range = (cluster) => (cluster.range ? (cluster.range[0] === cluster.range[1] ? cluster.range[0].toFixed(2) : `${cluster.range[0].toFixed(2)}–${cluster.range[1].toFixed(2)}`) : "");
const showClusters = () => list($("cluster-list"), {
  caption: "Clusters", rows: data.clusters, sort: { at: 1, down: true },
  text: (cluster) => [cluster.id, ...cluster.headlines, ...cluster.sites, ...cluster.members.map((member) => data.documents[member.at].id)],
  columns: [
    { name: "Headline", value: (cluster) => cluster.headlines[0] ?? cluster.id, cell: (cluster) => [button(said(cluster.headlines[0] ?? cluster.id), () => openCluster(cluster), { class: "link" }),
      cluster.headline_count > 1 ? make("div", { class: "quiet" }, `and ${counted(cluster.headline_count - 1, "other headline")}`) : null] },
    { name: "Documents", number: true, value: (cluster) => cluster.size, cell: (cluster) => count(cluster.size) },
    { name: "Sites", number: true, value: (cluster) => cluster.site_count, cell: (cluster) => count(cluster.site_count) },
    { name: "Similarity", number: true, value: (cluster) => cluster.range?.[0] ?? null, cell: range },
  ],
});
/** The wordings of a template, with the part that varies marked. */
const wordings = (phrase) => {
  const split = phrase.texts.map((text) => text.split(/(\s+)/));
  const [first] = split;
  const common = (side) => {
    let length = 0;
    while (split.every((one) => length < one.length && one[side ? one.length - 1 - length : length] === first[side ? first.length - 1 - length : length])) length += 1;
    return length;
  };
  if (split.length < 2) return make("div", { class: "wording", dir: "auto" }, phrase.texts[0]);
  const start = common(0), end = common(1);
  const one = (parts) => make("div", { class: "wording", dir: "auto" }, parts.slice(0, start).join(""),
    make("mark", {}, parts.slice(start, Math.max(start, parts.length - end)).join("")), parts.slice(Math.max(start, parts.length - end)).join(""));
  return make("div", {}, one(first), make("details", {}, make("summary", { class: "quiet" }, `${phrase.more ? "more than " : ""}${counted(split.length - 1, "other wording")}`), split.slice(1).map(one)));
};
const showPhrases = () => list($("phrase-list"), {
  caption: "Boilerplate", rows: data.phrases, sort: { at: 2, down: true },
  rule: `Showing ${count(data.phrases.length)} of ${count(data.all_phrases)} blocks that repeat: those in most documents, and the first of every kind and of the largest sites. Wordings that differ in names, dates and numbers are one block.${data.phrases_lost ? ` There are too many blocks to count them all: counts may be too low by ${count(data.phrases_lost)}.` : ""}`,
  text: (phrase) => [words(phrase.kind), ...phrase.texts, ...phrase.at.map(([site]) => site)],
  filters: [{ name: "Kind", values: distinct(data.phrases.map((phrase) => phrase.kind)), of: (phrase) => phrase.kind },
    { name: "Most on site", values: distinct(data.phrases.map((phrase) => phrase.at[0]?.[0])), of: (phrase) => phrase.at[0]?.[0] }],
  columns: [
    { name: "Block", value: (phrase) => phrase.texts[0], cell: (phrase) => [wordings(phrase),
      make("details", {}, make("summary", { class: "quiet" }, "where"), make("ul", {}, phrase.at.map(([site, documents]) => make("li", {}, said(site), `: ${counted(documents, "document")}`))),
        make("p", { class: "quiet" }, "First in ", phrase.ids.map((id, at) => [at ? ", " : "", said(id)]).flat())),
      phrase.whole && phrase.removed ? isContent(phrase.texts[0], phrase.at.length === 1 ? phrase.at[0][0] : null, phrase.texts.length > 1 ? "template" : "line") : null] },
    { name: "Kind", value: (phrase) => phrase.kind, cell: (phrase) => make("span", { class: "kind" }, words(phrase.kind) + (phrase.removed ? "" : ", stays")) },
    { name: "Documents", number: true, value: (phrase) => phrase.documents, cell: (phrase) => count(phrase.documents) },
    { name: "Sites", number: true, value: (phrase) => phrase.sites, cell: (phrase) => count(phrase.sites) },
    { name: "Stories", number: true, value: (phrase) => phrase.clusters, cell: (phrase) => count(phrase.clusters) },
  ],
});
const RELATIONS = { same_story: "one story", recurring: "a recurring title", generic: "a generic line", other: "one story, other headlines" };
const showHeadlines = () => {
  const several = data.clusters.filter((cluster) => cluster.headline_count > 1).map((cluster) =>
    ({ headline: cluster.headlines[0], documents: cluster.size, sites: cluster.site_count, relation: "other", cluster }));
  list($("headline-list"), {
    caption: "Headlines", rows: [...data.headlines, ...several], sort: { at: 2, down: true },
    rule: `Showing ${count(data.headlines.length)} of ${count(data.all_headlines)} headlines that several documents carry, those of most documents, and the stories above that are told under several.`,
    text: (row) => [row.headline, ...(row.cluster?.headlines ?? [])],
    filters: [{ name: "Carried by", values: ["same_story", "recurring", "generic", "other"], of: (row) => row.relation }],
    columns: [
      { name: "Headline", value: (row) => row.headline, cell: (row) => (row.cluster ? [button(said(row.headline), () => openCluster(row.cluster), { class: "link" }),
        make("ul", { class: "quiet" }, row.cluster.headlines.slice(1).map((headline) => make("li", {}, said(headline))))] : said(row.headline)) },
      { name: "Carried by", value: (row) => row.relation, cell: (row) => RELATIONS[row.relation] ?? row.relation },
      { name: "Documents", number: true, value: (row) => row.documents, cell: (row) => count(row.documents) },
      { name: "Sites", number: true, value: (row) => row.sites, cell: (row) => count(row.sites) },
    ],
  });
};
const GROUPS = { above: "just above the threshold", below: "just below it", apart: "alike, kept apart" };
const showPairs = () => list($("pair-list"), {
  caption: "Borderline pairs", rows: data.pairs,
  rule: `The ten pairs nearest above and below the threshold of ${data.threshold}, and the ten most similar that are not one story. Look at a few: they tell whether the threshold is right.`,
  text: (pair) => [pair.a, pair.b].flatMap((at) => [data.documents[at].id, title(data.documents[at])]).concat(pair.reason),
  filters: [{ name: "Which", values: ["above", "below", "apart"], of: (pair) => pair.group }],
  columns: [
    { name: "Pair", cell: (pair) => [button(make("span", {}, said(title(data.documents[pair.a])), " / ", said(title(data.documents[pair.b]))), () => openPair(pair), { class: "link" }),
      make("div", { class: "quiet" }, pair.reason)] },
    { name: "Which", value: (pair) => pair.group, cell: (pair) => GROUPS[pair.group] },
    { name: "Similarity", number: true, value: (pair) => pair.jaccard, cell: (pair) => pair.jaccard.toFixed(3) },
    { name: "One story", value: (pair) => Number(pair.joined), cell: (pair) => (pair.joined ? "yes" : "no") },
  ],
});
const showDocuments = () => {
  const rows = data.documents.map((one, at) => ({ one, at }));
  list($("document-list"), {
    caption: "Documents", rows,
    rule: data.documents.length < data.all_documents ? `Showing ${count(data.documents.length)} of ${count(data.all_documents)} documents: members of the clusters shown, those of borderline pairs, and a seeded sample of all.` : `All ${counted(data.documents.length, "document")}.`,
    text: ({ one }) => [one.id, one.headline ?? "", one.site ?? "", one.url ?? ""],
    filters: [{ name: "Role", values: distinct(rows.map(({ one }) => one.role)), of: ({ one }) => one.role }],
    columns: [
      { name: "Document", value: ({ one }) => title(one), cell: ({ one, at }) => [button(said(title(one)), () => openDocument(at), { class: "link" }),
        make("div", { class: "quiet" }, said(one.id))] },
      { name: "Site", value: ({ one }) => one.site, cell: ({ one }) => said(one.site) },
      { name: "Date", value: ({ one }) => one.day, cell: ({ one }) => one.date ?? "" },
      { name: "Words", number: true, value: ({ one }) => one.words, cell: ({ one }) => count(one.words) },
      { name: "Boilerplate", number: true, value: ({ one }) => 1 - one.content_words / (one.words || 1), cell: ({ one }) => percent(one.words ? 1 - one.content_words / one.words : 0) },
      { name: "Role", value: ({ one }) => one.role, cell: ({ one }) => `${one.role}${one.keep ? "" : ", dropped"}` },
    ],
  });
};
const setting = (value) => (value === null ? "not set" : typeof value === "string" ? value : JSON.stringify(value));
const showChanges = () => {
  const changes = data.changes;
  if (!changes) return;
  $("changes").hidden = false;
  document.querySelector('nav a[href="#changes"]').hidden = false;
  const place = make("div");
  const kinds = [["new", "new"], ["gone", "gone"], ["text", "with another text"], ["cluster", "in another cluster"], ["kept", "with another kept copy"], ["removed", "with another removed text"]];
  $("change-list").replaceChildren(make("dl", { class: "figures" }, kinds.map(([key, name]) => make("div", {}, make("dd", {}, count(changes[key])), make("dt", {}, name)))),
    facts([["Causes", changes.causes.map(([cause, documents]) => `${cause} (${counted(documents, "document")})`).join(", ")],
      ["Settings", changes.settings.map(([name, a, b]) => `${name}: ${setting(a)} → ${setting(b)}`).join("; ")],
      ["Versions", changes.versions.map(([name, a, b]) => `${name}: ${a} → ${b}`).join("; ")],
      ["Inputs", changes.inputs.slice(0, 20).join(", ") + (changes.inputs.length > 20 ? ` and ${changes.inputs.length - 20} more` : "")]]), place);
  const size = (sizes) => (sizes[0] === sizes[1] ? String(sizes[0]) : sizes.map((one) => one ?? "none").join(" → "));
  list(place, {
    caption: "Changed documents", rows: changes.changes, text: (change) => [change.id, ...change.what, ...change.causes],
    filters: [{ name: "What", values: kinds.map(([key]) => key), of: (change) => change.what[0] }],
    rule: "The first changed documents in order, at most 1,000.",
    columns: [
      { name: "Document", value: (change) => change.id, cell: (change) => said(change.id) },
      { name: "What changed", value: (change) => change.what.join(), cell: (change) => change.what.join(", ") },
      { name: "Cause", value: (change) => change.causes.join(), cell: (change) => change.causes.join(" or ") },
      { name: "Cluster size", number: true, cell: (change) => size(change.cluster_size) },
      { name: "Words kept", number: true, cell: (change) => size(change.content_words) },
    ],
  });
};

const start = async () => {
  data = await unpack("data");
  for (const show of [showClusters, showSites, showPhrases, showHeadlines, showPairs, showDocuments, showChanges, showCorrections]) show();
  document.documentElement.dataset.ready = "yes";
};
start().catch((error) => {
  $("trouble").hidden = false;
  $("trouble").textContent = `This browser could not open the data of the page (${error.message}). The overview and the largest clusters are shown; a current browser shows all.`;
});
