// ---- corrections

const corrections = { pairs: new Map(), copies: new Map(), rules: new Map() };
const DECISIONS = "decisions.csv", RULES = "rules.toml";
/** Files that hold corrections which are nowhere but in the page. */
const unsaved = new Set();
const changed = (map) => {
  const [name, text] = map === corrections.rules ? [RULES, rulesFile()] : [DECISIONS, decisionsFile()];
  if (text) unsaved.add(name);
  else unsaved.delete(name);
  showCorrections();
};
/** A button that makes a correction, and takes it back when it is pressed again. */
const correct = (label, map, key, value) => {
  const node = button(label, () => {
    if (map.get(key)?.same === value.same && map.has(key)) map.delete(key);
    else map.set(key, value);
    changed(map);
    node.setAttribute("aria-pressed", String(map.has(key)));
    tell(map.has(key) ? `Noted: ${label}` : `Taken back: ${label}`);
  }, { "aria-pressed": String(map.has(key)) });
  return node;
};
const notSame = (a, b) => (a.whole_id && b.whole_id ? correct("Not the same story", corrections.pairs,
  JSON.stringify([a.id, b.id].sort()), { a: a.id, b: b.id, same: "different" }) : null);
const same = (a, b) => (a.whole_id && b.whole_id ? correct("The same story", corrections.pairs,
  JSON.stringify([a.id, b.id].sort()), { a: a.id, b: b.id, same: "same" }) : null);
const keepThis = (one, label = "Keep this one") => (one.whole_id ? correct(label, corrections.copies, one.id, { id: one.id, same: "keep" }) : null);
/** Of a block that is not shown whole, the rule says how it begins. */
const beginning = (text) => text.replace(/[^ \t\n\r]*$/, "").trim();
const isContent = (text, site, how = "line") => text && correct("This is content", corrections.rules, JSON.stringify([text, site, how]), { text, site, how, same: "keep" });

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
  unsaved.delete(name);
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
    file(DECISIONS, "--decisions", decisionsFile(), "Which documents are one story, and which copy is kept."),
    file(RULES, "--rules", rulesFile(), "Which blocks are content, whatever they look like."));
  // A text field holds its text as it is: what is saved must be what is shown.
  [decisionsFile(), rulesFile()].forEach((text, at) => { files.querySelectorAll("textarea")[at].value = text; });
  $("correction-list").replaceChildren(make("p", { class: "rule" }, all
    ? `${counted(all, "correction")}. Nothing is changed until you save the files and scan with them; a correction pressed again is taken back.`
    : "Press “Not the same story”, “Keep this one” or “This is content” anywhere in this report. The corrections gather here, as files that a scan follows."), files);
};
addEventListener("beforeunload", (event) => { if (unsaved.size) event.preventDefault(); });
