import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { access, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

const module = join(__dirname, "../../toolchain/lock.mjs");

describe("a lock between processes", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lock-"));
    path = join(folder, "it.lock");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function lock<T>(work: () => Promise<T>, waiting?: () => void): Promise<T> {
    const { withLock } = await import("../../toolchain/lock.mjs");
    return withLock(path, work, waiting);
  }

  async function heldBy(holder: object): Promise<void> {
    await writeFile(path, JSON.stringify({ id: "other", host: hostname(), born: "", ...holder }));
  }

  it("lets one in at a time and leaves nothing behind", async () => {
    let inside = 0;
    await Promise.all(
      [1, 2, 3].map(() =>
        lock(async () => {
          assert.equal(++inside, 1);
          await new Promise((resolve) => setTimeout(resolve, 30));
          inside -= 1;
        }),
      ),
    );
    assert.deepEqual(await readdir(folder), []);
  });

  it("is released when the work fails", async () => {
    await assert.rejects(
      lock(() => Promise.reject(new Error("no"))),
      /^Error: no$/,
    );
    assert.equal(await lock(async () => 1), 1);
  });

  const abandoned: [string, () => Promise<void>][] = [
    ["a dead process", () => heldBy({ pid: 2 ** 22 + 1 })],
    ["a process whose number was given again", () => heldBy({ pid: process.pid, born: "1" })],
    ["nobody, the file being empty", () => writeFile(path, "")],
    [
      "another machine that has been silent",
      async () => {
        await heldBy({ host: "elsewhere", pid: 1 });
        const longAgo = new Date(Date.now() - 120_000);
        await utimes(path, longAgo, longAgo);
      },
    ],
  ];
  for (const [who, leave] of abandoned) {
    it(`is taken over from ${who}`, async function () {
      if (who.includes("number") && process.platform !== "linux") this.skip();
      await leave();
      assert.equal(await lock(async () => 1), 1);
      assert.deepEqual(await readdir(folder), []);
    });
  }

  const held: [string, object][] = [
    ["a living process", { pid: process.pid }],
    ["another machine that has been heard", { host: "elsewhere", pid: 1 }],
  ];
  for (const [who, holder] of held) {
    it(`is waited for when held by ${who}`, async () => {
      await heldBy(holder);
      let waited = false;
      await lock(
        async () => assert.equal(waited, true),
        () => {
          waited = true;
          void rm(path);
        },
      );
    });
  }

  it("is taken over by one alone of many", async () => {
    await heldBy({ pid: 2 ** 22 + 1 });
    const script = join(folder, "enter.mjs");
    const trace = join(folder, "trace");
    await writeFile(
      script,
      `import { appendFileSync } from "node:fs";
       import { withLock } from ${JSON.stringify(module)};
       const say = (text) => appendFileSync(${JSON.stringify(trace)}, text);
       await withLock(${JSON.stringify(path)}, async () => {
         say("(");
         await new Promise((resolve) => setTimeout(resolve, 20));
         say(")");
       });`,
    );
    const codes = await Promise.all(
      Array.from({ length: 5 }, () => {
        const child = fork(script, { execArgv: [] });
        return new Promise((resolve) => child.once("exit", resolve));
      }),
    );
    assert.deepEqual(codes, [0, 0, 0, 0, 0]);
    assert.equal(await readFile(trace, "utf8"), "()()()()()");
    await assert.rejects(access(path));
  });
});
