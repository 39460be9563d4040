/** Names that somebody chose to be read as something else. */
import assert from "node:assert/strict";
import { html } from "../../plan/html";
import { markdown } from "../../plan/markdown";
import { code, sentence } from "../../plan/markdown-text";
import type { Plan } from "../../plan/model";
import { rendered } from "./rendered";
import { edited, intermediateNamed, scene, type Scene } from "./scene";
import { planOf } from "./scene-preview";

const NAMES = [
  "</code><script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "`**done**`",
  "a | b | c",
  "### Refused",
  "[nothing](https://evil.example) @somebody #1 https://evil.example www.evil.example",
  "- [x] reviewed",
  '" onmouseover="alert(1)',
  "&lt;b&gt;",
  "$x^2$ ~~gone~~ __bold__ *it*",
  "\u202egro.live\u2066",
];
/** None of these may stand in a Markdown text outside of code spans. */
const MARKUP = /(?<!\\)[<>*_~[\]|#$]|https?:\/\/|www\.\w|@\w/;

function withoutCode(text: string): string {
  return text.replace(/(`+)[^`](?:.*?[^`])?\1(?!`)/g, "CODE");
}

describe("names in a plan", () => {
  let all: Scene;
  before(async () => {
    all = await scene();
  });

  it("are text in a sentence, whatever they hold", () => {
    for (const name of NAMES) {
      const text = sentence(`found ${name} there`);
      assert.equal(text.split("\n").length, 1);
      assert.doesNotMatch(withoutCode(text), MARKUP, text);
    }
  });

  it("are text in a code span, also with backticks, and end no cell of a table", () => {
    for (const name of [...NAMES, "`", "``", "a`", " ", ""]) {
      const span = code(name);
      assert.doesNotMatch(span, /\n|\|/);
      assert.equal(withoutCode(`x ${span} y`), "x CODE y", span);
    }
  });

  it("make no line, no heading, no row and no element, in certificates", async () => {
    const plain = await planWith("Plain");
    const shape = elementsOf(await rendered(markdown(plain)));
    const elements = elementsOf(html(plain));
    for (const name of NAMES) {
      const plan = await planWith(name);
      assert.deepEqual(elementsOf(await rendered(markdown(plan))), shape, name);
      assert.deepEqual(elementsOf(html(plan)), elements, name);
      assert.doesNotMatch(html(plan), /<script|<img|onmouseover="/);
      assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
      assert.doesNotMatch(JSON.stringify(plan), /[\u202e\u2066]/);
    }
  });

  /** A roll to a CA of this name. */
  async function planWith(name: string): Promise<Plan> {
    const evil = await intermediateNamed(name, all);
    const base = edited(all.base, (copy) => {
      copy.certificates["evil"] = evil;
    });
    assert.ok(
      evil.known &&
        (evil.summary.subjectCommonName === name || /\\u\{/.test(evil.summary.subjectCommonName)),
    );
    const after = edited(base, (copy) => {
      copy.enrollmentGroups["gateways"]!.secondary = { certificate: "evil" };
    });
    return planOf(all, base, after);
  }

  function elementsOf(page: string): string[] {
    return [...page.matchAll(/<(\/?[a-zA-Z][\w-]*)/g)].map(([, element]) => element!);
  }
});
