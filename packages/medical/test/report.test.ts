import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, launchChromium, type Page } from "../../../testing/chromium.ts";
import { withoutPeers } from "../../../testing/peers.ts";
import { reportPage } from "../src/report/index.ts";
import { ballReport } from "../src/report/test-report.ts";
import { spheres } from "../src/report/test-scan.ts";

/** The page in a browser, from disk, as a reader has it. */
describe.skipIf(withoutPeers("chromium"))("the report in a browser", () => {
  let folder: string;
  let browser: Browser;
  let address: string;
  const at = spheres.lesion.at;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "camkit-report-"));
    await writeFile(join(folder, "report.html"), await reportPage(ballReport()));
    address = pathToFileURL(join(folder, "report.html")).href;
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The page when all its slices are decoded; whatever it asked for beyond itself, and whatever went wrong. */
  async function opened(options: Parameters<Browser["newPage"]>[0] = {}): Promise<{ page: Page; trouble: string[] }> {
    const page = await browser.newPage(options);
    const trouble: string[] = [];
    page.on("pageerror", ({ message }) => trouble.push(message));
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && request.url() !== address) trouble.push(request.url());
    });
    await page.goto(address);
    if (options.javaScriptEnabled !== false) await page.waitForSelector("#viewer[data-ready]");
    return { page, trouble };
  }

  const state = (page: Page) =>
    page.locator("#viewer").evaluate((viewer) => {
      const { view, index } = (viewer as unknown as { dataset: Record<string, string> }).dataset;
      return [view, Number(index)];
    });
  /** The colour at a pixel of the canvas. */
  const pixel = (page: Page, x: number, y: number) =>
    page.locator("#viewer canvas").evaluate(
      (canvas, [x, y]) =>
        Array.from(
          (
            canvas as unknown as {
              getContext(kind: string): { getImageData(...box: number[]): { data: Uint8Array } };
            }
          )
            .getContext("2d")
            .getImageData(x!, y!, 1, 1).data,
        ),
      [x, y],
    );
  const frame = (page: Page) => page.waitForTimeout(100);

  test("opens at the map's maximum and fetches nothing", async () => {
    const { page, trouble } = await opened();
    expect(await state(page)).toEqual(["axial", at[0]]);
    const [red, , blue] = await pixel(page, at[2], at[1]);
    expect(red! - blue!).toBeGreaterThan(40);
    const [r, g, b] = await pixel(page, 50, 24); // the left lung: grey
    expect([r === g, g === b]).toEqual([true, true]);
    expect(trouble).toEqual([]);
    await page.close();
  });

  test("what is drawn first has the map already", async () => {
    const page = await browser.newPage();
    await page.addInitScript(`
      const put = CanvasRenderingContext2D.prototype.putImageData;
      CanvasRenderingContext2D.prototype.putImageData = function (...image) {
        put.apply(this, image);
        globalThis.first ??= [...this.getImageData(${at[2]}, ${at[1]}, 1, 1).data];
      };
    `);
    await page.goto(address);
    await page.waitForSelector("#viewer[data-ready]");
    const [red, , blue] = (await page.evaluate("first")) as number[];
    expect(red! - blue!).toBeGreaterThan(40);
    await page.close();
  });

  test("keys, wheel, slider, buttons and the curve turn slices", async () => {
    const { page, trouble } = await opened();
    await page.locator(".stage").focus();
    await page.keyboard.press("ArrowUp");
    await frame(page);
    expect(await state(page)).toEqual(["axial", at[0] + 1]);
    await page.keyboard.press("Home");
    await frame(page);
    expect(await state(page)).toEqual(["axial", 0]);
    await page.locator(".stage").hover();
    await page.mouse.wheel(0, 120);
    await frame(page);
    expect(await state(page)).toEqual(["axial", 3]);
    await page.locator("[data-curve]").click({ position: { x: 1, y: 20 } });
    await frame(page);
    expect(await state(page)).toEqual(["axial", 0]);
    await page.locator("[data-slice]").fill("17");
    await frame(page);
    expect(await state(page)).toEqual(["axial", 17]);
    await page.locator("[data-view-of=coronal]").click();
    await page.locator("[data-maximum]").click();
    await frame(page);
    expect(await state(page)).toEqual(["coronal", at[1]]);
    // Head up: the slice nearest the head is the first line.
    const [red, , blue] = await pixel(page, at[2], 19 - at[0]);
    expect(red! - blue!).toBeGreaterThan(40);
    await page.locator("[data-play]").click();
    await page.waitForTimeout(400);
    await page.locator("[data-play]").click();
    expect((await state(page))[1]).toBeGreaterThan(at[1] + 1);
    expect(trouble).toEqual([]);
    await page.close();
  });

  test("windows and the map's sliders change what is seen", async () => {
    const { page } = await opened();
    const lung = await pixel(page, 50, 24);
    await page.locator("[data-window-of=mediastinum]").click();
    await frame(page);
    const dark = await pixel(page, 50, 24);
    expect(lung[0]! - dark[0]!).toBeGreaterThan(40); // −850 HU is grey in one window and black in the other
    expect(dark[0]).toBe(0);
    await page.locator("[data-map]").uncheck();
    await frame(page);
    const [r, g, b] = await pixel(page, at[2], at[1]);
    expect([r === g, g === b]).toEqual([true, true]);
    await page.close();
  });

  test.each([
    [1280, 900],
    [400, 800],
  ])("%i pixels wide nothing sticks out", async (width, height) => {
    const { page } = await opened({ viewport: { width, height } });
    const wide = await page
      .locator("html")
      .evaluate((html) => (html as unknown as { scrollWidth: number }).scrollWidth);
    expect(wide).toBe(width);
    await page.close();
  });

  test("without scripts the contact sheet is there, and no dead controls", async () => {
    const { page } = await opened({ javaScriptEnabled: false });
    expect(await page.locator(".sheet-picture").isVisible()).toBe(true);
    expect(await page.locator("#viewer").isVisible()).toBe(false);
    await page.close();
  });
});
