// Looks for everything that a report promises, as a person would: node contents.cjs PAGE BROWSER.
"use strict";
const assert = require("node:assert/strict");
const { DESKTOP, close, open, run } = require("./browser.cjs");

const [page, browser] = process.argv.slice(2);

/** A list with what can be done to it. */
const list = (tab, id) => {
  const place = tab.locator(`#${id}`);
  const rows = place.locator("tbody tr");
  return {
    place,
    rows,
    search: (text) => place.locator("input[type=search]").fill(text),
    filter: (name, value) => place.locator("label", { hasText: name }).locator("select").selectOption(value),
    options: async (name) => (await place.locator("label", { hasText: name }).locator("option").evaluateAll((all) => all.map((one) => one.value))).filter(Boolean),
    sort: (name) => place.locator(`thead button:text-is("${name}")`).click(),
    column: async (name) => place.locator(`td[data-name="${name}"]`).allTextContents(),
  };
};
const number = (text) => parseFloat(text.replaceAll(",", ""));

const lists = async (tab) => {
  const documents = list(tab, "document-list");
  assert.equal(await documents.rows.count(), 25);
  await documents.place.locator('button:text("Show more")').click();
  assert.equal(await documents.rows.count(), 125);
  await documents.search("courier1.example/000000");
  assert.equal(await documents.rows.count(), 1, "a search finds the document");
  await documents.search("no such thing");
  assert.equal(await documents.rows.count(), 0);
  assert.equal(await documents.place.locator("[role=status]").textContent(), "Nothing matches.");
  await documents.search("");

  const clusters = list(tab, "cluster-list");
  for (const name of ["Sites", "Similarity", "Headline", "Documents"]) {
    for (const direction of name === "Headline" ? ["ascending", "descending"] : ["descending", "ascending"]) {
      await clusters.sort(name);
      assert.equal(await clusters.place.locator("thead [aria-sort]").getAttribute("aria-sort"), direction, name);
      const shown = name === "Headline" ? await clusters.rows.locator("th button").allTextContents() : (await clusters.column(name)).map(number);
      const sorted = shown.slice().sort(name === "Headline" ? (a, b) => (a < b ? -1 : a > b ? 1 : 0) : (a, b) => a - b);
      assert.deepEqual(shown, direction === "ascending" ? sorted : sorted.reverse(), `${name} ${direction}`);
    }
  }
};

const overview = async (tab) => {
  const names = await tab.locator("#overview .figures dt").allTextContents();
  for (const name of ["documents", "sites", "of the words are boilerplate", "stories told more than once", "documents that dedup keeps"]) {
    assert.ok(names.includes(name), name);
  }
  const marked = tab.locator("#sites tr", { hasText: "thin.example" });
  assert.match(await marked.textContent(), /loses much/);
  assert.equal(await tab.locator("#sites tr", { hasText: "loses much" }).count(), 1, "other sites are not marked");
  assert.match(await tab.locator("#overview .rule").textContent(), /more than 50% of its words/);
  const charts = tab.locator("#overview svg[role=img]");
  assert.equal(await charts.count(), 3);
  for (const chart of await charts.all()) {
    const told = await chart.evaluate((svg) => document.getElementById(svg.getAttribute("aria-labelledby")).textContent);
    assert.match(told, /\d/, "a chart tells its figures");
  }
  assert.equal(await tab.locator("#overview svg .cut").count(), 1, "the threshold is drawn");
  assert.equal(await tab.locator('#overview rect[fill="url(#hatch)"]').count(), 1, "the incomplete range is hatched");
};

const cluster = async (tab) => {
  const clusters = list(tab, "cluster-list");
  await clusters.search("harbor");
  await clusters.rows.first().locator("button.link").click();
  await tab.waitForSelector("#reader .diff");
  const body = tab.locator("#reader-body");
  assert.match(await body.textContent(), /Representative.*most complete text/s);
  const timeline = await body.locator(".timeline svg").getAttribute("aria-label");
  assert.match(timeline, /From 2024-03-01 to 2024-03-09: 2024-03-01 a\.example, .*2024-03-09/);
  const members = body.locator(".members button");
  assert.equal(await members.count(), 2);
  const cut = members.filter({ hasText: "c.example" });
  assert.match(await cut.textContent(), /contained/, "containment is marked");
  await cut.click();
  await body.locator('dd bdi:text-is("harbor-cut")').waitFor();
  assert.match(await body.textContent(), /Relationthe representative tells all of the member/);
  await tab.waitForSelector("#reader .diff del");
  assert.match(await body.locator(".diff del").first().textContent(), /Ships/, "what the cut copy lacks is marked");
  assert.equal(await body.locator(".diff ins").count(), 0, "case, quotes and dashes are no difference");
  await tab.keyboard.press("Escape");
  await clusters.search("");
};

const boilerplate = async (tab) => {
  const blocks = list(tab, "phrase-list");
  const kinds = await blocks.options("Kind");
  assert.ok(kinds.length > 3, String(kinds));
  await blocks.filter("Kind", "newsletter");
  assert.deepEqual([...new Set(await blocks.column("Kind"))], ["newsletter"]);
  await blocks.filter("Kind", "");
  await blocks.filter("Site", "herald1.example");
  const here = await blocks.rows.count();
  assert.ok(here > 0);
  for (const row of await blocks.rows.all()) {
    await row.locator("summary", { hasText: "where" }).click();
    assert.match(await row.locator("details li", { hasText: "herald1.example" }).textContent(), /: [\d,]+ documents?/);
  }
  await blocks.filter("Site", "");
  await blocks.search("min read");
  const folded = blocks.rows.first();
  assert.ok(await folded.locator("summary", { hasText: "other wording" }).count() === 1, "wordings are folded");
  assert.ok((await folded.locator("mark").first().textContent()).length > 0, "what varies is marked");
  await blocks.search("");
};

const rest = async (tab) => {
  const headlines = list(tab, "headline-list");
  for (const [relation, said] of [["recurring", "Letters to the editor"], ["generic", "Page of the day"], ["same_story", "Crane closes the harbor"], ["other", "Crane closes the harbor"]]) {
    await headlines.filter("Carried by", relation);
    assert.ok(await headlines.rows.filter({ hasText: said }).count() > 0, `${relation}: ${said}`);
  }

  const pairs = list(tab, "pair-list");
  for (const [group, told] of [["above", "just above the threshold"], ["below", "just below it"], ["apart", "kept apart by facts"]]) {
    await pairs.filter("Which", group);
    const shown = await pairs.rows.count();
    assert.ok(shown > 0 && shown <= 10, `${group}: ${shown}`);
    assert.deepEqual([...new Set(await pairs.column("Which"))], [told]);
    const similar = (await pairs.column("Similarity")).map(number);
    if (group === "above") assert.ok(similar.every((one) => one >= 0.5), String(similar));
    if (group === "below") assert.ok(similar.every((one) => one < 0.5), String(similar));
  }
  await pairs.rows.filter({ hasText: "names or numbers" }).first().locator("button.link").click();
  await tab.waitForSelector("#reader .diff");
  assert.ok(await tab.locator('#reader button:text("The same story")').count() === 1);
  await tab.keyboard.press("Escape");

  await list(tab, "version-list").rows.first().locator("button.link").click();
  await tab.waitForSelector("#reader .diff ins");
  assert.match(await tab.locator("#reader .diff").textContent(), /Before: council-1.*Then: council-2/s);
  await tab.keyboard.press("Escape");

  const changes = list(tab, "change-list");
  assert.match(await changes.place.textContent(), /threshold: 0\.95 → 0\.5/);
  await changes.filter("What", "cluster");
  assert.ok((await changes.column("What changed")).every((what) => what.includes("cluster")));
  assert.ok((await changes.column("Cause")).every((cause) => cause === "setting"));
};

/** A file that is no UTF-8, named and filled by someone who means harm. */
const broken = async (tab) => {
  const documents = list(tab, "document-list");
  await documents.search("onload");
  await documents.rows.first().locator("button.link").click();
  await tab.waitForSelector("#reader .text");
  assert.match(await tab.locator("#reader .text").textContent(), /<script>window\.ran = 5<\/script>/);
  await tab.keyboard.press("Escape");
  await documents.search("");
  assert.equal(await tab.evaluate(() => window.ran), undefined, "no script of a document ran");
};

run(browser, async (chrome) => {
  const opened = await open(chrome, page, { viewport: DESKTOP });
  for (const look of [overview, lists, cluster, boilerplate, rest, broken]) await look(opened.tab);
  await close(opened);

  // Without a script the overview and the largest clusters are there.
  const plain = await open(chrome, page, { javaScriptEnabled: false });
  assert.equal(await plain.tab.locator("#overview svg").count(), 3);
  assert.equal(await plain.tab.locator("#cluster-list ol.static > li").count(), 10);
  assert.equal(await plain.tab.locator("nav a:visible").count(), 2, "nothing leads where nothing is");
  await close(plain);
});
