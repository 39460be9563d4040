/**
 * Compares what a browser shows with a picture that people have looked at. DPS_UPDATE_GOLDEN=1 takes the
 * picture anew.
 *
 * What makes it the same everywhere: the fonts come from a package, in place of whatever the machine has for
 * the page's own names; no hinting, no colours at the edges of letters, one pixel a pixel. What is left (edges
 * that another version of the browser smooths otherwise) is not counted.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { PNG } from "pngjs";
import { type Look, screenshot } from "./browser";

/** Pixels that may differ in any window of this side: a letter more or less is above it. */
const WINDOW = 32;
const MOST_IN_A_WINDOW = 24;
/** Of all pixels: what is spread thinly. */
const MOST_OF_ALL = 0.002;
/** Colours are kept in steps of this: nobody sees it, and the file is half as large. */
const STEP = 17;

function fontFace(family: string, file: string, weight: number): string {
  const path = join(dirname(require.resolve("dejavu-fonts-ttf/package.json")), "ttf", file);
  const data = readFileSync(path).toString("base64");
  return `@font-face{font-family:"${family}";font-weight:${weight};src:url(data:font/ttf;base64,${data})}`;
}

let fonts: string | undefined;

/** The page with fonts that every machine has. */
export function withFonts(html: string): string {
  fonts ??= [
    fontFace("Picture Sans", "DejaVuSans.ttf", 400),
    fontFace("Picture Sans", "DejaVuSans-Bold.ttf", 700),
    fontFace("Picture Mono", "DejaVuSansMono.ttf", 400),
    `body,svg text{font-family:"Picture Sans"!important}code,pre{font-family:"Picture Mono"!important}`,
  ].join("\n");
  // Its own policy lets no font in.
  return `${html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "")}<style>${fonts}</style>`;
}

/** A page from its top, with these fonts. */
export async function picture({ html, ...look }: Look): Promise<Buffer> {
  return screenshot({ ...look, html: withFonts(html) });
}

/** Of the same width: from this line on, so many lines. */
export function cut(shot: Buffer, from: number, lines: number): Buffer {
  const all = PNG.sync.read(shot);
  const part = new PNG({ width: all.width, height: lines });
  PNG.bitblt(all, part, 0, from, all.width, lines, 0, 0);
  return PNG.sync.write(part);
}

function small(shot: Buffer): Buffer {
  const png = PNG.sync.read(shot);
  png.data.forEach((value, index) => {
    png.data[index] = Math.min(255, Math.round(value / STEP) * STEP);
  });
  return PNG.sync.write(png, {
    colorType: 2,
    deflateLevel: 9,
    deflateStrategy: 0,
    filterType: 0,
  });
}

/** @param file the picture that it has to equal */
export async function matchesPicture(file: string, shot: Buffer): Promise<void> {
  if (process.env["DPS_UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, small(shot));
  }
  assert.ok(existsSync(file), `${file} is not there: run with DPS_UPDATE_GOLDEN=1, and look at it`);
  const problem = await difference(readFileSync(file), shot);
  if (problem === undefined) return;
  const kept = join(tmpdir(), `seen-${basename(file)}`);
  writeFileSync(kept, shot);
  assert.fail(`differs from ${file}: ${problem}; what was seen is in ${kept}`);
}

/** In words; undefined: to a person they are the same. */
export async function difference(one: Buffer, other: Buffer): Promise<string | undefined> {
  const [before, after] = [PNG.sync.read(one), PNG.sync.read(other)];
  const { width, height } = before;
  if (after.width !== width || after.height !== height) {
    return `${after.width} by ${after.height} pixels in place of ${width} by ${height}`;
  }
  const { default: pixelmatch } = await import("pixelmatch");
  const compare = (windowSize?: number): number =>
    pixelmatch(before.data, after.data, undefined, width, height, {
      ...(windowSize !== undefined && { windowSize }),
    });
  const together = compare(WINDOW);
  if (together > MOST_IN_A_WINDOW)
    return `up to ${together} pixels within ${WINDOW} by ${WINDOW} differ`;
  const all = compare();
  return all > MOST_OF_ALL * width * height ? `${all} pixels differ` : undefined;
}
