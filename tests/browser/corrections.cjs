// Opens a report from disk, looks at hostile documents, and corrects what it says: node corrections.cjs PAGE BROWSER DIRECTORY.
// Writes the files that the page exports to DIRECTORY, and ends with an error at the first thing that is not as it should be.
"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");
const { DESKTOP, PHONE, close, open, run } = require("./browser.cjs");

const [page, browser, directory] = process.argv.slice(2);

const correct = async (chrome, viewport) => {
  const opened = await open(chrome, page, { viewport });
  const { tab } = opened;

  // A cluster, the texts side by side.
  await tab.locator("#cluster-list button.link", { hasText: "harbor" }).first().click();
  await tab.waitForSelector("#reader .diff");
  const side = tab.locator("#reader .diff");
  assert.match(await side.locator("del").first().textContent(), /Tuesday|Monday/);
  assert.match(await side.locator("ins").first().textContent(), /Sunday|Friday/);
  assert.ok(await side.locator(".grey .kind").count() > 0, "boilerplate is greyed with its kind");
  await tab.click('#reader button:text("Not the same story")');
  await tab.locator('#reader button:text("Keep this one")').last().click();
  await tab.keyboard.press("Escape");
  assert.equal(await tab.locator("#reader[open]").count(), 0, "Escape closes");

  // A document, its blocks.
  await tab.locator("#document-list tr", { hasText: "harbor-copy" }).first().locator("button.link").click();
  await tab.waitForSelector("#reader .block .kind");
  const block = tab.locator("#reader .block", { hasText: "newsletter" }).first();
  assert.match(await block.textContent(), /score \d\.\d\d.*Line \d+, in 4 documents of 4 sites and \d clusters/);
  await block.locator('button:text("This is content")').click();
  // What is pressed again is taken back.
  const keep = tab.locator('#reader .actions button:text("Keep this one")').first();
  const pressed = await keep.getAttribute("aria-pressed");
  await keep.click();
  await keep.click();
  assert.equal(await keep.getAttribute("aria-pressed"), pressed);
  await tab.click("#reader-close");

  // Hostile documents: what they say is text, and nothing else.
  const hostile = await tab.locator("#document-list tr", { hasText: "hostile" }).all();
  assert.ok(hostile.length >= 2);
  for (const row of hostile) {
    await row.locator("button.link").click();
    await tab.waitForSelector("#reader .text");
    const text = await tab.locator("#reader-body").textContent();
    assert.ok(text.includes("<script>window.ran"), "markup is shown as text");
    assert.ok(text.includes("␀") && text.includes("⟨U+202E⟩"), "nothing is unseen");
    assert.match(text, /more bytes are not shown/, "a giant line is cut");
    await tab.click("#reader-close");
  }
  // Whatever can be pressed or opened is, with the hostile texts in it.
  for (const summary of await tab.locator("main summary").all()) await summary.click();
  assert.equal(await tab.evaluate(() => window.ran), undefined, "no script of a document ran");
  assert.equal(await tab.locator("a:not([href^='#']), img, svg image, iframe, object, embed, link, base, form, [onerror], [onload], [onclick]").count(), 0);

  // What was corrected is exported, and the page is not left before that.
  assert.equal(await tab.locator("#decided").textContent(), "3");
  const leaving = () => tab.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
  for (const name of ["decisions.csv", "rules.toml"]) {
    assert.equal(await leaving(), true, `${name} is not saved yet`);
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.click(`button:text("Save ${name}")`)]);
    assert.equal(download.suggestedFilename(), name);
    await download.saveAs(path.join(directory, name));
  }
  assert.equal(await leaving(), false);
  await close(opened);
};

run(browser, async (chrome) => {
  await correct(chrome, DESKTOP);
  await correct(chrome, PHONE);
});
