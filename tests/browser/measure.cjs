// Says how large a report is and how fast it opens from disk: node measure.cjs PAGE BROWSER.
// Five times in a fresh browser; milliseconds from the start of navigation, the median and the worst.
"use strict";
const fs = require("node:fs");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const [page, browser] = process.argv.slice(2);

const once = async () => {
  const chrome = await chromium.launch({ executablePath: browser, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const tab = await chrome.newPage();
  // The page marks itself ready when its data is unpacked and its lists are drawn.
  await tab.addInitScript(() => new MutationObserver(() => { window.ready ??= performance.now(); })
    .observe(document, { subtree: true, attributeFilter: ["data-ready"] }));
  await tab.goto(pathToFileURL(page).href);
  await tab.waitForFunction(() => window.ready !== undefined && performance.getEntriesByName("first-contentful-paint").length > 0);
  const told = await tab.evaluate(() => ({
    "first render": performance.getEntriesByName("first-contentful-paint")[0].startTime,
    DOMContentLoaded: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
    "data ready": window.ready,
  }));
  await chrome.close();
  return told;
};

const main = async () => {
  console.log(`${page}: ${(fs.statSync(page).size / 1e6).toFixed(2)} MB`);
  const runs = [];
  for (let run = 0; run < 5; run += 1) runs.push(await once());
  for (const name of Object.keys(runs[0])) {
    const times = runs.map((told) => Math.round(told[name])).sort((a, b) => a - b);
    console.log(`${name}: ${times[2]} ms, at worst ${times[4]} ms`);
  }
};
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
