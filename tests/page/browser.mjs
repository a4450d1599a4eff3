// Open pages in headless Chromium and print, as JSON, everything that is wrong with them.
//
//   node browser.mjs CHROMIUM PAGES-FOLDER [SCREENSHOTS-FOLDER]
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [chromium, folder, shots] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu", "--force-device-scale-factor=1"],
});
const problems = [];
const MOST_TABS = 300;

async function look(file, width, scheme) {
  const page = await browser.newPage();
  const where = `${file} at ${width}px, ${scheme}`;
  const say = (what) => problems.push(`${where}: ${what}`);
  page.on("console", (message) => say(`console: ${message.text()}`));
  page.on("pageerror", (error) => say(`error: ${error.message}`));
  page.on("dialog", (dialog) => { say("a dialog opened"); dialog.dismiss(); });
  const url = pathToFileURL(path.join(folder, file)).href;
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) say(`request: ${request.url()}`);
  });
  await page.setViewport({ width, height: 900 });
  const onScreen = async () => {
    await page.emulateMediaType(null); // this forgets the colour scheme
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const isDark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
    if (isDark !== (scheme === "dark")) say("has the other colours");
  };
  await onScreen();
  const began = Date.now();
  await page.goto(url, { waitUntil: "load" });
  const took = Date.now() - began;
  if (took > 1000) say(`took ${took} ms to load`);

  if (shots) await page.screenshot({ path: path.join(shots, `${file}-${width}-${scheme}.png`) });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) say(`is ${wide}px wider than the screen`);

  // The keyboard reaches every control that is shown, and each of them in the order of the page.
  const controls = await page.evaluate(() => {
    const shown = [...document.querySelectorAll("a, button, input, summary")]
      .filter((one) => one.checkVisibility({ contentVisibilityAuto: false }));
    shown.forEach((one, index) => { one.dataset.tab = index; });
    return shown.length;
  });
  for (let n = 0; n < Math.min(controls, MOST_TABS); n++) {
    await page.keyboard.press("Tab");
    const reached = await page.evaluate(() => document.activeElement?.dataset.tab);
    if (reached !== String(n)) { say(`Tab ${n + 1} of ${controls} reached ${reached}`); break; }
  }

  // Search: `/` moves there, a word that is nowhere hides everything, Escape shows it again.
  const lives = () => page.evaluate(() =>
    [...document.querySelectorAll(".life")].filter((e) => e.checkVisibility()).length);
  const before = await lives();
  await page.evaluate(() => document.activeElement.blur());
  if (await page.$("#search")) {
    await page.keyboard.press("/");
    await page.keyboard.type("zzzznowhere");
    if (await lives()) say("the search hides nothing");
    await page.keyboard.press("Escape");
    if (await lives() !== before) say("Escape does not show everything again");
  }

  // The keyboard opens what is folded; printing opens the details of a few tasks, and closes them.
  const first = "main summary";
  if (await page.$(first)) {
    const isOpen = () => page.$eval(first, (one) => one.parentElement.open);
    const was = await isOpen();
    await page.focus(first);
    await page.keyboard.press("Enter");
    if (await isOpen() === was) say("Enter does not open the details");
    await page.keyboard.press("Enter");
  }
  const open = () => page.$$eval("details[open]", (all) => all.length);
  const opened = await open();
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  const printed = await open();
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  if (before > 0 && before <= 10 && printed <= opened) say("printing opens nothing");
  if (await open() !== opened) say("printing leaves details open");
  await page.emulateMediaType("print");
  const cut = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (cut > 0) say(`is ${cut}px wider than the paper`);
  if (await page.evaluate(() => document.querySelector(".search")?.checkVisibility())) {
    say("the search is printed");
  }
  await onScreen();

  if (before <= 60) await page.evaluate(() => document.getElementById("open-all")?.click());
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, {
    rules: { region: { enabled: true } },
  }));
  for (const violation of found.violations) {
    say(`axe: ${violation.id}: ${violation.nodes[0].html.slice(0, 160)}`);
  }
  if (shots && before <= 60) {
    await page.screenshot({ path: path.join(shots, `${file}-${width}-${scheme}-open.png`), fullPage: true });
  }
  await page.close();
}

for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".html")).sort()) {
  for (const [width, scheme] of [[360, "light"], [1440, "dark"], [360, "dark"], [1440, "light"]]) {
    await look(file, width, scheme);
  }
}
await browser.close();
console.log(JSON.stringify(problems));
