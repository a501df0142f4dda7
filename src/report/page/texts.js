// ---- texts

/** The words of a text as they were compared: runs of anything but blanks, and single characters of scripts without them. */
const WORD = /[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^ \t\n\r\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+/g;
const kindOf = (piece) => (piece[1] === null ? `content${piece[9] ? " by rule" : ""}` : words(data.kinds[piece[1]]));

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
const blockNode = (piece, one) => make("div", { class: piece[1] === null ? "block content" : "block" }, make("span", { dir: "auto" }, piece[0] + (piece[11] ? "" : "…")),
  make("span", { class: "side" }, make("span", { class: "kind" }, kindOf(piece)), ` score ${piece[2].toFixed(2)}`),
  make("span", { class: "why" }, `Line ${piece[4]}, ${why(piece)}${piece[3] ? "" : "; stays"}`),
  make("span", { class: "side" }, piece[3] ? (piece[11] ? isContent(piece[0].trim(), one.site) : isContent(beginning(piece[0]), one.site, "starts")) : null));
