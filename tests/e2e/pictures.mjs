// Photographs pages in light and dark; pictures.sh starts it.
//   pictures.mjs FOLDER NAME=URL...       writes FOLDER/NAME-light.png and FOLDER/NAME-dark.png
// NAME:HEIGHT=URL takes that many pixels from the top, NAME:WIDTHxHEIGHT=URL of a window of that width; without, the whole page.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const packages = createRequire(`${process.env.PAGE_PACKAGES}/`);
const { chromium } = packages("playwright-core");
const UPNG = packages("upng-js");
const COLORS = 128;
const [folder, ...pictures] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.PAGE_BROWSER,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"],
});
for (const picture of pictures) {
  const [, name, width = 1280, height, url] = picture.match(/^([a-z-]+)(?::(?:(\d+)x)?(\d+))?=(.*)$/);
  for (const colorScheme of ["light", "dark"]) {
    const viewport = { width: Number(width), height: Number(height ?? 800) };
    const context = await browser.newContext({ colorScheme, viewport });
    const page = await context.newPage();
    await page.goto(url);
    // The page of the exporter has rates of the time since the last look.
    if (url.startsWith("http")) await page.waitForTimeout(4000);
    const pixels = UPNG.decode(await page.screenshot({ fullPage: height === undefined }));
    const small = UPNG.encode(UPNG.toRGBA8(pixels), pixels.width, pixels.height, COLORS);
    writeFileSync(`${folder}/${name}-${colorScheme}.png`, Buffer.from(small));
    await context.close();
  }
}
await browser.close();
