// ---- reader

let opened = 0;
const read = (heading, ...nodes) => {
  $("reader-title").textContent = visible(heading);
  $("reader-body").replaceChildren(...nodes.flat().filter(Boolean));
  if (!$("reader").open) $("reader").showModal();
  $("reader").scrollTop = 0;
  $("reader-title").focus();
};
/** What the first of two is to the second, in words. */
const relation = (name, a, b) => {
  if (name === "contains") return `the ${a} tells all of the ${b}`;
  return name === "contained" ? `the ${b} tells all of the ${a}` : words(name);
};
const measures = (pair, a, b) => (pair ? [["Similarity", `${pair.jaccard.toFixed(3)} without boilerplate, ${pair.jaccard_raw.toFixed(3)} with it`],
  ["Containment", `${percent(pair.first_in_second)} of the ${a} is in the ${b}, ${percent(pair.second_in_first)} the other way`],
  ["Relation", relation(pair.relation, a, b)], ["Because", pair.reason]] : []);

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
  const each = dates.map((one) => `${one.date} ${one.site ?? one.id}`).join(", ");
  for (const [name, value] of Object.entries({ viewBox: "0 0 640 26", role: "img", "aria-label": visible(`Timeline. ${told}: ${each}.`) })) svg.setAttribute(name, value);
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
      ...(member.pair ? [] : [["Relation", one.similarity === null ? null : `${relation(one.relation, "member", "representative")}, similarity ${one.similarity.toFixed(3)}`]])]),
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
    make("div", { class: "actions" }, pair.joined ? notSame(a, b) : same(a, b), keepThis(a, "Keep this one: the first"), keepThis(b, "Keep this one: the second")), place);
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
    ["Repeats", one.role === "duplicate" ? make("span", {}, said(one.representative), one.similarity === null ? "" : `, similarity ${one.similarity.toFixed(3)}: ${relation(one.relation, "document", "other")}`) : null],
    ["Cluster", one.cluster_size > 1 ? make("span", {}, `${counted(one.cluster_size, "document")} of `, said(one.cluster)) : null],
    ["Decision", one.decision]]),
    make("div", { class: "actions" }, keepThis(one), cluster ? button("Its cluster", () => openCluster(cluster)) : null), absence(one),
    text ? make("div", { class: "text" }, text.pieces.map((piece) => (typeof piece === "string"
      ? make("div", { dir: "auto" }, piece.replace(/^\s*\n|\n\s*$/g, "")) : blockNode(piece, one)))) : null,
    text?.cut ? make("p", { class: "note" }, `${count(text.cut)} more bytes are not shown.`) : null);
};
$("reader-close").addEventListener("click", () => $("reader").close());
