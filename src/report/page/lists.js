// ---- lists

const showSites = () => list($("sites"), {
  caption: "Sites", rows: data.sites, text: (site) => [site.site], sort: { at: 1, down: true },
  columns: [
    { name: "Site", value: (site) => site.site, cell: (site) => [said(site.site), site.removed_words > data.much * site.words ? make("span", { class: "warn" }, " loses much") : null] },
    { name: "Documents", number: true, value: (site) => site.documents, cell: (site) => count(site.documents) },
    { name: "Boilerplate", number: true, value: (site) => site.removed_words / (site.words || 1), cell: (site) => percent(site.removed_words / (site.words || 1)) },
    { name: "Dropped", number: true, value: (site) => site.dropped, cell: (site) => count(site.dropped) },
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
const ruleOf = (phrase) => {
  const site = phrase.at.length === 1 ? phrase.at[0][0] : null;
  if (!phrase.whole) return isContent(beginning(phrase.texts[0]), site, "starts");
  return isContent(phrase.texts[0], site, phrase.texts.length > 1 ? "template" : "line");
};
const showPhrases = () => list($("phrase-list"), {
  caption: "Boilerplate", rows: data.phrases, sort: { at: 2, down: true },
  rule: `Showing ${count(data.phrases.length)} of ${count(data.all_phrases)} blocks that repeat: those in most documents, and the first of every kind and of the largest sites. Wordings that differ in names, dates and numbers are one block.${data.phrases_lost ? ` There are too many blocks to count them all: counts may be too low by ${count(data.phrases_lost)}.` : ""}`,
  text: (phrase) => [words(phrase.kind), ...phrase.texts, ...phrase.at.map(([site]) => site)],
  filters: [{ name: "Kind", values: distinct(data.phrases.map((phrase) => phrase.kind)), of: (phrase) => phrase.kind },
    { name: "Site", values: distinct(data.phrases.flatMap((phrase) => phrase.at.map(([site]) => site))), of: (phrase) => phrase.at.map(([site]) => site) }],
  columns: [
    { name: "Block", value: (phrase) => phrase.texts[0], cell: (phrase) => [wordings(phrase),
      make("details", {}, make("summary", { class: "quiet" }, "where"), make("ul", {}, phrase.at.map(([site, documents]) => make("li", {}, said(site), `: ${counted(documents, "document")}`))),
        make("p", { class: "quiet" }, "First in ", phrase.ids.map((id, at) => [at ? ", " : "", said(id)]).flat())),
      phrase.removed ? ruleOf(phrase) : null] },
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
const GROUPS = { above: "just above the threshold", below: "just below it", apart: "kept apart by facts" };
const showPairs = () => list($("pair-list"), {
  caption: "Borderline pairs", rows: data.pairs,
  rule: `The ten pairs nearest above and below the threshold of ${data.threshold}, and the ten most similar of those that match and that facts keep apart: other names and numbers at the same places, a story quoted, or one told among several. Look at a few: they tell whether the threshold is right.`,
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
const unhide = (id) => {
  $(id).hidden = false;
  document.querySelector(`nav a[href="#${id}"]`).hidden = false;
};
const openVersion = ({ row, at, previous }) => {
  const place = make("div", {}, make("p", { class: "none" }, "Opening…"));
  read(title(data.documents[at]), facts([["Address", said(row.url)], ["Before", make("span", {}, said(row.previous_id), row.previous_date ? `, ${row.previous_date}` : "")],
    ["Then", make("span", {}, said(row.id), row.date ? `, ${row.date}` : "")], ["Words", `${count(row.words_added)} added, ${count(row.words_removed)} removed`],
    ["Similarity", row.jaccard.toFixed(3)], ["Verdict", row.joined ? "one story" : "not one story"]]), place);
  if (previous === null) place.replaceChildren(make("p", { class: "hint" }, "The version before it is a reference: its text is not in this page."));
  else compared(place, previous, at, [`Before: ${row.previous_id}`, `Then: ${row.id}`]);
};
const showVersions = () => {
  if (!data.versions.length) return;
  unhide("versions");
  list($("version-list"), {
    caption: "Versions", rows: data.versions,
    rule: `Showing ${count(data.versions.length)} of ${counted(data.all_versions, "document")} whose address was met before with another text, those that changed most.`,
    text: ({ row }) => [row.id, row.previous_id, row.url],
    columns: [
      { name: "Document", value: ({ at }) => title(data.documents[at]), cell: (version) => [button(said(title(data.documents[version.at])), () => openVersion(version), { class: "link" }),
        make("div", { class: "quiet" }, said(version.row.url))] },
      { name: "Version", number: true, value: ({ row }) => row.version, cell: ({ row }) => count(row.version) },
      { name: "Words added", number: true, value: ({ row }) => row.words_added, cell: ({ row }) => count(row.words_added) },
      { name: "Words removed", number: true, value: ({ row }) => row.words_removed, cell: ({ row }) => count(row.words_removed) },
      { name: "Similarity", number: true, value: ({ row }) => row.jaccard, cell: ({ row }) => row.jaccard.toFixed(3) },
    ],
  });
};
const setting = (value) => (value === null ? "not set" : typeof value === "string" ? value : JSON.stringify(value));
const showChanges = () => {
  const changes = data.changes;
  if (!changes) return;
  unhide("changes");
  const place = make("div");
  const kinds = [["new", "new"], ["gone", "gone"], ["text", "with another text"], ["cluster", "in another cluster"], ["kept", "with another kept copy"], ["removed", "with another removed text"]];
  $("change-list").replaceChildren(make("dl", { class: "figures" }, kinds.map(([key, name]) => make("div", {}, make("dt", {}, name), make("dd", {}, count(changes[key]))))),
    facts([["Causes", changes.causes.map(([cause, documents]) => `${cause} (${counted(documents, "document")})`).join(", ")],
      ["Settings", changes.settings.map(([name, a, b]) => `${name}: ${setting(a)} → ${setting(b)}`).join("; ")],
      ["Versions", changes.versions.map(([name, a, b]) => `${name}: ${a} → ${b}`).join("; ")],
      ["Inputs", changes.inputs.slice(0, 20).join(", ") + (changes.inputs.length > 20 ? ` and ${changes.inputs.length - 20} more` : "")]]), place);
  const size = (sizes) => (sizes[0] === sizes[1] ? String(sizes[0]) : sizes.map((one) => one ?? "none").join(" → "));
  list(place, {
    caption: "Changed documents", rows: changes.changes, text: (change) => [change.id, ...change.what, ...change.causes],
    filters: [{ name: "What", values: kinds.map(([key]) => key), of: (change) => change.what }],
    rule: `Showing ${count(changes.changes.length)} of ${count(changes.changed)} changed documents, the first in order.`,
    columns: [
      { name: "Document", value: (change) => change.id, cell: (change) => said(change.id) },
      { name: "What changed", value: (change) => change.what.join(), cell: (change) => change.what.join(", ") },
      { name: "Cause", value: (change) => change.causes.join(), cell: (change) => change.causes.join(" or ") },
      { name: "Kept copy", cell: ({ kept: [before, after] }) => (before === after ? said(after ?? "none") : [said(before ?? "none"), " → ", said(after ?? "none")]) },
      { name: "Cluster size", number: true, cell: (change) => size(change.cluster_size) },
      { name: "Words kept", number: true, cell: (change) => size(change.content_words) },
    ],
  });
};

const start = async () => {
  data = await unpack("data");
  for (const show of [showClusters, showSites, showPhrases, showHeadlines, showPairs, showDocuments, showVersions, showChanges, showCorrections]) show();
  document.documentElement.dataset.ready = "yes";
};
start().catch((error) => {
  $("trouble").hidden = false;
  $("trouble").textContent = `This browser could not open the data of the page (${error.message}). The overview and the largest clusters are shown; a current browser shows all.`;
});
