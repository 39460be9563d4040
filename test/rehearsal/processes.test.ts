import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { start, stop } from "../../rehearsal/processes";

/** Starts one more process, tells its ID, and both wait; the first ignores what `ignore` names. */
const FAMILY = `
  const child = require("node:child_process").spawn(
    process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
  if (process.argv[1]) process.on(process.argv[1], () => {});
  setInterval(() => {}, 1000);
  console.log(child.pid);
`;

describe("a rehearsal's child processes", function () {
  this.timeout(20_000);

  async function family(ignore: string[] = []): Promise<{ parent: ChildProcess; child: number }> {
    const parent = start(process.execPath, ["-e", FAMILY, ...ignore], {});
    const [line] = (await once(parent.stdout!.setEncoding("utf8"), "data")) as [string];
    return { parent, child: Number(line) };
  }

  /** A killed process is there until its parent, which may be another one by now, has taken note. */
  async function isGone(pid: number): Promise<boolean> {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      try {
        process.kill(pid, 0);
      } catch {
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return false;
  }

  it("end with everything that they started", async () => {
    const { parent, child } = await family();
    await stop(parent, "SIGTERM");
    assert.equal(parent.signalCode, "SIGTERM");
    assert.ok(await isGone(child));
  });

  it("end also when they do not want to", async () => {
    const { parent, child } = await family(["SIGTERM"]);
    await stop(parent, "SIGTERM");
    assert.equal(parent.signalCode, "SIGKILL");
    assert.ok(await isGone(child));
  });

  it("may have ended before", async () => {
    const child = start(process.execPath, ["-e", ""], {});
    await once(child, "close");
    await stop(child, "SIGTERM");
    assert.equal(child.exitCode, 0);
  });
});
