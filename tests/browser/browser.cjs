// What all browser tests need: a browser, a report opened in it with whatever it should not do noted, and axe.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const LOCAL = /^(file|data|blob|about):/;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 400, height: 844 };

/** Opens a page and waits for its lists; whatever it asks of the network, and every error, is noted. */
const open = async (chrome, page, options = {}) => {
  const context = await chrome.newContext({ acceptDownloads: true, ...options });
  const tab = await context.newPage();
  const noted = { outside: [], errors: [] };
  tab.on("request", (request) => LOCAL.test(request.url()) || noted.outside.push(request.url()));
  tab.on("pageerror", (error) => noted.errors.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && noted.errors.push(message.text()));
  tab.on("dialog", (dialog) => { noted.errors.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  await tab.goto(pathToFileURL(page).href);
  if (options.javaScriptEnabled !== false) {
    await tab.waitForFunction(() => document.documentElement.dataset.ready === "yes", undefined, { timeout: 20000 });
  }
  return { tab, context, noted };
};

/** Closes it, and fails if anything was noted. */
const close = async ({ context, noted }) => {
  assert.deepEqual(noted, { outside: [], errors: [] });
  await context.close();
};

/** Fails if axe finds anything: contrast, labels, roles, order of headings. */
const accessible = async (tab, where) => {
  // The policy of the page forbids other scripts to the page, not to the one who drives it.
  await tab.evaluate(axe);
  const found = await tab.evaluate(() => axe.run({ resultTypes: ["violations"] }));
  assert.deepEqual(found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`), [], where);
};

/** Runs a test in a browser. */
const run = (executablePath, test) => {
  const all = async () => {
    const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic", "--disable-sync"];
    const chrome = await chromium.launch({ executablePath, args });
    await test(chrome);
    await chrome.close();
  };
  all().catch((error) => {
    console.error(error);
    process.exit(1);
  });
};

module.exports = { DESKTOP, PHONE, accessible, close, open, run };
