// Opens a report from disk and uses it as a person would: node report.cjs PAGE DIRECTORY BROWSER.
// Writes the files that the page exports to DIRECTORY, and ends with an error at the first thing that is not as it should be.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const [page, directory, browser] = process.argv.slice(2);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const LOCAL = /^(file|data|blob|about):/;

/** Opens the page; whatever it asks of the network, and every error, is noted. */
const open = async (chrome, options) => {
  const context = await chrome.newContext({ acceptDownloads: true, ...options });
  const tab = await context.newPage();
  const noted = { outside: [], errors: [] };
  tab.on("request", (request) => LOCAL.test(request.url()) || noted.outside.push(request.url()));
  tab.on("pageerror", (error) => noted.errors.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && noted.errors.push(message.text()));
  tab.on("dialog", (dialog) => { noted.errors.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  await tab.goto(pathToFileURL(page).href);
  return { tab, noted, context };
};

const accessible = async (tab, where) => {
  // The policy of the page forbids other scripts to the page, not to the one who drives it.
  await tab.evaluate(axe);
  const found = await tab.evaluate(() => axe.run({ resultTypes: ["violations"] }));
  assert.deepEqual(found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`), [], where);
};

const use = async (chrome, scheme, viewport) => {
  const { tab, noted, context } = await open(chrome, { colorScheme: scheme, viewport });
  await tab.waitForFunction(() => document.documentElement.dataset.ready === "yes", undefined, { timeout: 20000 });
  await accessible(tab, `the page, ${scheme}`);
  assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the page");

  // Search and sort.
  const documents = tab.locator("#document-list tbody tr");
  const all = await documents.count();
  await tab.fill("#document-list input[type=search]", "harbor-copy");
  assert.equal(await documents.count(), 1, "a search finds the document");
  await tab.fill("#document-list input[type=search]", "no such thing");
  assert.equal(await documents.count(), 0);
  await tab.fill("#document-list input[type=search]", "");
  assert.equal(await documents.count(), all);
  if (viewport.width > 800) {
    const words = async () => (await tab.locator('#document-list td[data-name="Words"]').allTextContents()).map((text) => Number(text.replaceAll(",", "")));
    await tab.click('#document-list thead button:text("Words")');
    assert.deepEqual(await words(), (await words()).sort((a, b) => b - a), "sorted down");
    await tab.click('#document-list thead button:text("Words")');
    assert.deepEqual(await words(), (await words()).sort((a, b) => a - b), "sorted up");
  }

  // A cluster, the texts side by side.
  await tab.locator("#cluster-list button.link", { hasText: "harbor" }).first().click();
  await tab.waitForSelector("#reader .diff");
  const side = tab.locator("#reader .diff");
  assert.match(await side.locator("del").first().textContent(), /Tuesday|Monday/);
  assert.match(await side.locator("ins").first().textContent(), /Sunday|Friday/);
  assert.ok(await side.locator(".grey .kind").count() > 0, "boilerplate is greyed with its kind");
  await accessible(tab, `a cluster, ${scheme}`);
  await tab.click('#reader button:text("Not the same story")');
  await tab.locator('#reader button:text("Keep this one")').last().click();
  await tab.keyboard.press("Escape");
  assert.equal(await tab.locator("#reader[open]").count(), 0, "Escape closes");

  // A document, its blocks.
  await tab.locator("#document-list tr", { hasText: "harbor-copy" }).first().locator("button.link").click();
  await tab.waitForSelector("#reader .block .kind");
  await accessible(tab, `a document, ${scheme}`);
  await tab.locator("#reader .block", { hasText: "newsletter" }).first().locator('button:text("This is content")').click();
  await tab.click("#reader-close");

  // Hostile documents: what they say is text, and nothing else.
  for (const row of await tab.locator("#document-list tr", { hasText: "hostile" }).all()) {
    await row.locator("button.link").click();
    await tab.waitForSelector("#reader .text");
    const text = await tab.locator("#reader-body").textContent();
    assert.ok(text.includes("<script>window.ran"), "markup is shown as text");
    assert.ok(text.includes("␀") && text.includes("⟨U+202E⟩"), "nothing is unseen");
    await tab.click("#reader-close");
  }
  assert.equal(await tab.evaluate(() => window.ran), undefined, "no script of a document ran");
  assert.equal(await tab.locator("main a:not([href^='#']), img, iframe, object, embed, [onerror], [onclick]").count(), 0);

  // What was corrected is exported.
  assert.equal(await tab.locator("#decided").textContent(), "3");
  for (const name of ["decisions.csv", "rules.toml"]) {
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.click(`button:text("Save ${name}")`)]);
    assert.equal(download.suggestedFilename(), name);
    await download.saveAs(path.join(directory, name));
  }
  assert.deepEqual(noted, { outside: [], errors: [] });
  await context.close();
};

const main = async () => {
  const chrome = await chromium.launch({ executablePath: browser, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic", "--disable-sync"] });
  await use(chrome, "light", { width: 1280, height: 900 });
  await use(chrome, "dark", { width: 390, height: 844 });
  // Without a script the overview and the largest clusters are there.
  const { tab, noted, context } = await open(chrome, { javaScriptEnabled: false });
  assert.ok(await tab.locator("#overview svg").count() >= 3);
  assert.ok(await tab.locator("#cluster-list li").count() > 0);
  assert.deepEqual(noted, { outside: [], errors: [] });
  await context.close();
  await chrome.close();
};
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
