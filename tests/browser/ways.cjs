// Reads a report in every way that people do: in light and dark, on a desktop and a phone, by keyboard, on paper.
// node ways.cjs PAGE BROWSER [DIRECTORY]: with a directory, screenshots of all are left there to be looked at.
"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");
const { DESKTOP, PHONE, accessible, close, open, run } = require("./browser.cjs");

const [page, browser, directory] = process.argv.slice(2);
const shoot = async (tab, name) => { if (directory) await tab.screenshot({ path: path.join(directory, `${name}.png`) }); };

/** Opens the first of a list. */
const openFirst = async (tab, id, waitFor) => {
  await tab.locator(`#${id} button.link`).first().click();
  await tab.waitForSelector(`#reader ${waitFor}`);
};

const look = async (chrome, colorScheme, viewport) => {
  const opened = await open(chrome, page, { colorScheme, viewport });
  const { tab } = opened;
  const name = `${colorScheme}-${viewport.width}`;
  const dark = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).every((one) => Number(one) < 60));
  assert.equal(dark, colorScheme === "dark", name);
  await shoot(tab, name);
  const cut = await tab.evaluate(() => [...document.querySelectorAll("main svg text")].filter((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 2 || inner.bottom > outer.bottom + 2;
  }).map((text) => text.textContent));
  assert.deepEqual(cut, [], `no label of a chart is cut: ${name}`);
  for (const summary of await tab.locator("#phrase-list summary").all()) await summary.click();
  await accessible(tab, `${name}, everything disclosed`);
  assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `nothing is wider than the page: ${name}`);
  for (const [list, waitFor] of [["cluster-list", ".diff"], ["document-list", ".text"], ["pair-list", ".diff"]]) {
    await openFirst(tab, list, waitFor);
    await shoot(tab, `${name}-${list}`);
    await accessible(tab, `${name}, one of ${list}`);
    assert.ok(await tab.evaluate(() => document.getElementById("reader").scrollWidth <= innerWidth), `the reader fits: ${name}, ${list}`);
    await tab.keyboard.press("Escape");
  }
  await close(opened);
};

const byKeyboard = async (chrome) => {
  const opened = await open(chrome, page, { viewport: DESKTOP, reducedMotion: "reduce" });
  const { tab } = opened;
  const focused = () => tab.evaluate(() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    const all = [...document.querySelectorAll("*")];
    return { at: all.indexOf(one), name: (one.textContent || one.tagName).trim(), outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
      seen: box.width > 2 && box.height > 2 && box.bottom > 0 && box.top < innerHeight, inReader: one.closest("#reader") !== null };
  });
  await tab.keyboard.press("Tab");
  assert.equal((await focused()).name, "Skip to the report");
  // Every stop is seen, and comes after the one before it.
  let before = -1;
  for (let stop = 0; stop < 60; stop += 1) {
    const now = await focused();
    assert.ok(now.at > before, `${now.name} comes in order`);
    assert.ok(now.seen && now.outline, `the focus is seen on ${now.name}`);
    before = now.at;
    await tab.keyboard.press("Tab");
  }
  // The skip link leads past the parts of the report.
  await tab.locator(".skip").focus();
  await tab.keyboard.press("Enter");
  await tab.keyboard.press("Tab");
  assert.ok(await tab.evaluate(() => document.activeElement.closest("main") !== null));

  // Sorting, disclosing, opening, correcting, closing.
  await tab.locator('#cluster-list thead button:text-is("Headline")').focus();
  await tab.keyboard.press("Enter");
  assert.equal(await tab.locator("#cluster-list thead [aria-sort]").getAttribute("aria-sort"), "ascending");
  const where = tab.locator("#phrase-list summary").first();
  await where.focus();
  await tab.keyboard.press("Enter");
  assert.equal(await where.evaluate((summary) => summary.parentElement.open), true);
  const link = tab.locator("#cluster-list button.link").first();
  await link.focus();
  await tab.keyboard.press("Enter");
  await tab.waitForSelector("#reader .diff");
  assert.equal(await tab.evaluate(() => document.activeElement.id), "reader-title", "what was opened is read first");
  for (let stop = 0; stop < 30; stop += 1) {
    await tab.keyboard.press("Tab");
    const now = await focused();
    // Past the last stop the focus leaves for the browser's own bars, never for what lies behind.
    assert.ok(now.inReader || await tab.evaluate(() => document.activeElement === document.body), `stop ${stop} is in the reader`);
  }
  const keep = tab.locator('#reader button:text("Keep this one")').first();
  await keep.focus();
  await tab.keyboard.press("Space");
  assert.equal(await keep.getAttribute("aria-pressed"), "true");
  assert.match(await tab.locator("#status").textContent(), /Noted: Keep this one/, "a screen reader is told");
  await tab.keyboard.press("Escape");
  assert.ok(await link.evaluate((one) => document.activeElement === one), "the focus is where it was");
  await close(opened);
};

const onPaper = async (chrome, colorScheme) => {
  const opened = await open(chrome, page, { colorScheme, viewport: { width: 800, height: 1100 } });
  const { tab } = opened;
  const pages = (pdf) => pdf.toString("latin1").match(/\/Type \/Page\b/g).length;
  await tab.emulateMedia({ media: "print", colorScheme });
  await shoot(tab, `print-${colorScheme}`);
  assert.equal(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)", "paper is white");
  assert.equal(await tab.locator("nav:visible, input:visible, .actions:visible, #corrections:visible").count(), 0, "nothing to press is printed");
  assert.ok(await tab.locator('#phrase-list thead button:text-is("Documents")').isVisible(), "columns have names");
  assert.ok(pages(await tab.pdf({ format: "A4" })) > 1);
  await tab.emulateMedia({ media: "screen", colorScheme });
  await openFirst(tab, "document-list", ".text");
  await tab.evaluate(() => { document.querySelector("#reader .text").append("\nAnother line.".repeat(200)); });
  await tab.emulateMedia({ media: "print", colorScheme });
  await shoot(tab, `print-${colorScheme}-document`);
  assert.equal(await tab.locator("main:visible").count(), 0, "what is open is printed alone");
  assert.ok(pages(await tab.pdf({ format: "A4" })) > 3, "and whole");
  await close(opened);
};

run(browser, async (chrome) => {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [DESKTOP, PHONE]) await look(chrome, colorScheme, viewport);
    await onPaper(chrome, colorScheme);
  }
  await byKeyboard(chrome);
});
