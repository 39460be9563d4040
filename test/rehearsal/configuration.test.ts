import assert from "node:assert/strict";
import { parse } from "yaml";
import { describe as words, edited, remove, set } from "../../rehearsal/configuration";

const TEXT = `# A stack.
config:
  shop:target: sandbox
  # Certificates by name.
  shop:certificates:
    root-a: { dev: { commonName: Root A, days: 365 } } # the first one
  shop:individualEnrollments:
    device-1: { primary: { certificate: leaf-a }, secondary: { certificate: leaf-b } }
`;

describe("a rehearsal's edits of the stack configuration", () => {
  const configOf = (text: string): unknown => (parse(text) as { config: unknown }).config;

  it("writes at a place, and leaves comments and all other lines as they are", () => {
    const text = edited(TEXT, "shop", [
      set(["certificates", "root-b"], { dev: { commonName: "Root B", days: 1 } }),
    ]);
    assert.deepEqual(
      text.split("\n").filter((line) => !TEXT.split("\n").includes(line)),
      ["    root-b: { dev: { commonName: Root B, days: 1 } }"],
    );
    for (const line of TEXT.split("\n")) {
      assert.ok(text.split("\n").includes(line), line);
    }
  });

  it("writes in place of what was there", () => {
    const text = edited(TEXT, "shop", [
      set(["individualEnrollments", "device-1"], { primary: { certificate: "leaf-c" } }),
    ]);
    assert.deepEqual((configOf(text) as Record<string, unknown>)["shop:individualEnrollments"], {
      "device-1": { primary: { certificate: "leaf-c" } },
    });
  });

  it("makes a section that was not there", () => {
    const entry = { certificate: "leaf-a", reason: "stolen" };
    const text = edited(TEXT, "shop", [set(["compromised"], [entry])]);
    assert.deepEqual((configOf(text) as Record<string, unknown>)["shop:compromised"], [entry]);
  });

  it("removes", () => {
    const text = edited(TEXT, "shop", [remove("individualEnrollments", "device-1", "primary")]);
    assert.deepEqual((configOf(text) as Record<string, unknown>)["shop:individualEnrollments"], {
      "device-1": { secondary: { certificate: "leaf-b" } },
    });
  });

  it("does not remove what is not there", () => {
    assert.throws(() => edited(TEXT, "shop", [remove("caCertificates", "root-a")]), {
      message: "There is no caCertificates.root-a in the configuration.",
    });
  });

  it("says an edit in one line", () => {
    assert.equal(
      words(set(["caCertificates", "root-b"], { certificate: "root-b" })),
      "+ caCertificates.root-b: { certificate: root-b }",
    );
    assert.equal(words(remove("certificates", "root-a")), "- certificates.root-a");
  });
});
