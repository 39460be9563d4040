import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Issued, TestCa } from "../../support/test-ca";
import { openPlant } from "../openssl/plant";
import { KeptProcess } from "./kept-process";
import { type Box, DELETED_EVERY, isEnrollment } from "./writing-clients";

const ROUNDS = 3;
const SEED = Number(process.env["DPS_KILL_SEED"] ?? 20261124);
/** Written again and again, each time with the next number. */
const KEYS = 4;

/** The last number that was sent for a record, and the last that the sandbox acknowledged. */
interface Written {
  sent: number;
  acknowledged: number;
}

/** How far a device has come, as it knows from answers. */
interface Registered {
  leaf: Issued;
  operationId?: string;
  assigned?: boolean;
}

/**
 * The sandbox in a process of its own, killed with SIGKILL in the middle of what several clients write.
 * Acknowledged is what a client has the answer of. When it was killed is told by the number of answers,
 * from a seed, while other requests are under way.
 */
describe("a kept sandbox that is killed", function () {
  this.timeout(240_000);
  let parent: string;
  let kept: KeptProcess;
  let box: Box;
  let root: TestCa;
  const written = new Map<string, Written>();
  const devices: Registered[] = [];
  const random = generator(SEED);

  before(async () => {
    parent = mkdtempSync(join(tmpdir(), "dps-kill-"));
    const dir = join(parent, "box");
    kept = new KeptProcess(dir);
    const plant = await openPlant({ dir, keep: true });
    root = plant.root;
    await plant.close();
    await start();
  });
  after(async () => {
    await kept.kill();
    rmSync(parent, { recursive: true, force: true });
  });

  for (let round = 1; round <= ROUNDS; round++) {
    it(`has all that it acknowledged, round ${round} (seed ${SEED})`, async () => {
      const answers = 10 + Math.floor(random() * 60);
      await writeUntilKilled(answers);
      await start();
      await checkWritten();
      await checkRegistrations();
    });
  }

  async function start(): Promise<void> {
    box = await kept.start("--no-throttle");
  }

  async function writeUntilKilled(answers: number): Promise<void> {
    let left = answers;
    let killed = false;
    const answered = (): void => {
      left -= 1;
      if (left === 0) {
        killed = true;
        kept.shoot();
      }
    };
    const writer = async (write: () => Promise<void>): Promise<void> => {
      while (!killed) {
        try {
          await write();
        } catch (error) {
          // The connection ended with the sandbox; anything else is a defect.
          if (killed && !(error instanceof assert.AssertionError)) return;
          killed = true;
          kept.shoot();
          throw error;
        }
      }
    };
    const counted = (kind: string, write: (key: string, number: number) => Promise<void>) => {
      return writer(async () => {
        const key = `${kind}-${Math.floor(random() * KEYS)}`;
        const record = written.get(key) ?? { sent: 0, acknowledged: 0 };
        written.set(key, record);
        const number = record.sent + 1;
        record.sent = number;
        await write(key, number);
        record.acknowledged = number;
        answered();
      });
    };
    const ended = await Promise.allSettled([
      counted("enrollment", (key, number) => box.writeEnrollment(key, number)),
      counted("device", (key, number) => box.writeDevice(key, number)),
      counted("twin", (key, number) => box.writeTwin(key, number)),
      writer(async () => {
        const id = `registration-${devices.length}`;
        const device: Registered = { leaf: await root.leaf(id) };
        devices.push(device);
        device.operationId = await box.register(id, device.leaf);
        answered();
        assert.equal(await box.poll(id, device.leaf, device.operationId), "assigned");
        device.assigned = true;
        answered();
      }),
    ]);
    await kept.kill();
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  }

  async function checkWritten(): Promise<void> {
    assert.ok([...written.values()].some(({ acknowledged }) => acknowledged > 0));
    for (const [key, { sent, acknowledged }] of written) {
      const found = await box.number(key);
      const possible: (number | undefined)[] = [];
      for (let number = acknowledged; number <= sent; number++) {
        const gone = number === 0 || (isEnrollment(key) && number % DELETED_EVERY === 0);
        possible.push(gone ? undefined : number);
      }
      assert.ok(
        possible.includes(found),
        `${key} is ${found}; ${acknowledged} was acknowledged, ${sent} was sent`,
      );
      // What was found is what counts from here on.
      const at = possible.lastIndexOf(found);
      written.set(key, { sent: acknowledged + at, acknowledged: acknowledged + at });
    }
  }

  async function checkRegistrations(): Promise<void> {
    for (const [index, { leaf, operationId, assigned }] of devices.entries()) {
      const id = `registration-${index}`;
      const record = await box.registration(id);
      if (operationId !== undefined) {
        assert.ok(record, `${id} was told that it is being assigned`);
        // A device goes on where it was.
        assert.equal(await box.poll(id, leaf, operationId), "assigned");
      }
      if (assigned === true) assert.equal(record?.["status"], "assigned");
      // Never an assigned device that its hub does not know.
      const identity = await box.identity(id);
      if (record?.["status"] === "assigned" || operationId !== undefined) {
        const { x509Thumbprint } = identity!["authentication"] as Record<string, unknown>;
        assert.deepEqual(x509Thumbprint, {
          primaryThumbprint: leaf.thumbprint,
          secondaryThumbprint: leaf.thumbprint,
        });
      } else if (record === undefined) {
        assert.equal(identity, undefined, `${id} is at the hub and DPS does not know it`);
      }
    }
  }
});

/** Mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
