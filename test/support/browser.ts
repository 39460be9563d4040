/** Headless Chromium, where there is one: looks at a page as a person's browser shows it. */
import { execFile } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Path of the browser; undefined: this machine has none. */
export function findBrowser(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const places = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return NAMES.flatMap((name) => places.map((folder) => join(folder, name))).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** For `before` of a suite that needs one: leaves it out, and says why. */
export function needsBrowser(this: Mocha.Context): void {
  if (findBrowser() !== undefined) return;
  console.log("      left out: no Chromium on this machine (Debian package chromium)");
  this.skip();
}

export interface Look {
  html: string;
  /** Of the window, CSS pixels. */
  width: number;
  height: number;
}

/** Evaluates an expression in the page, once it is there; its value has to be JSON. */
export async function evaluate<T>(look: Look, expression: string): Promise<T> {
  const script = `<script>addEventListener("load", () => {
    const value = JSON.stringify(${expression});
    document.documentElement.replaceChildren(Object.assign(document.createElement("pre"), { textContent: "VALUE:" + encodeURIComponent(value) + ";" }));
  });</script>`;
  const dom = await run({ ...look, html: look.html + script }, () => ["--dump-dom"]);
  const [, value] = />VALUE:([^;<]*);</.exec(dom.out) ?? [];
  if (value === undefined) throw new Error(`The page did not answer: ${dom.out.slice(0, 500)}`);
  return JSON.parse(decodeURIComponent(value)) as T;
}

/** What is seen, as PNG. */
export async function screenshot(look: Look): Promise<Buffer> {
  const { shot } = await run(look, (file) => ["--hide-scrollbars", `--screenshot=${file}`]);
  return shot;
}

async function run(
  { html, width, height }: Look,
  flags: (shotFile: string) => string[],
): Promise<{ out: string; shot: Buffer }> {
  const browser = findBrowser();
  if (browser === undefined) throw new Error("There is no Chromium on this machine.");
  const folder = mkdtempSync(join(tmpdir(), "browser-"));
  try {
    const page = join(folder, "page.html");
    const shotFile = join(folder, "shot.png");
    writeFileSync(page, html);
    const own = flags(shotFile);
    const { stdout } = await promisify(execFile)(
      browser,
      [
        "--headless",
        "--disable-gpu",
        // As root, and in containers, its sandbox cannot be set up; the page is our own.
        "--no-sandbox",
        // Letters look the same on every machine that has the same font.
        "--font-render-hinting=none",
        "--disable-lcd-text",
        "--force-device-scale-factor=1",
        "--force-color-profile=srgb",
        `--user-data-dir=${join(folder, "profile")}`,
        `--window-size=${width},${height}`,
        ...own,
        pathToFileURL(page).href,
      ],
      { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
    );
    const isShot = own.some((flag) => flag.startsWith("--screenshot"));
    return { out: stdout, shot: isShot ? readFileSync(shotFile) : Buffer.alloc(0) };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
