import assert from "node:assert/strict";
import { formatFault } from "../../certificates/faults";
import { commandFaults, filledIn } from "../../certificates/signing-command";

const SECRET_FIX =
  "let the command read it from a file or an environment variable: pin-source=file:… in a PKCS #11 URI, -passin env:… of openssl";

describe("a signing command", () => {
  it("is taken with placeholders that are known, and with PINs that are elsewhere", () => {
    const command = ["openssl", "-in", "{csr}", "-passin", "env:PIN", '{"json": {}}', "{code}"];
    assert.deepEqual(commandFaults("command", command, "p"), []);
    const uri = "pkcs11:object=root;pin-source=file:/run/pin";
    const tool = [
      "fileb://{tbs}",
      "{digest}",
      "{digestFile}",
      uri,
      "--pin",
      "env:PIN",
      "--pin=env:P",
    ];
    assert.deepEqual(commandFaults("signatureCommand", tool, "p"), []);
  });

  const rows: [string, "command" | "signatureCommand", string[], string[]][] = [
    [
      "a misspelt placeholder",
      "command",
      ["sign", "--in={crs}"],
      ["DPS-CERT-111 at p[1]: found the placeholder {crs}; fix: use one of {csr} and {code}"],
    ],
    [
      "a placeholder of the other kind of command",
      "signatureCommand",
      ["sign", "{csr}"],
      [
        "DPS-CERT-111 at p[1]: found the placeholder {csr}; fix: use one of {tbs}, {digest} and {digestFile}",
      ],
    ],
    ...["pkcs11:object=a;pin-value=4711", "pass:4711", "--pin=4711"].map(
      (secret): [string, "command", string[], string[]] => [
        `a PIN (${secret.slice(0, 5)})`,
        "command",
        ["sign", secret],
        [
          `DPS-CERT-112 at p[1]: found what gives a PIN or a pass phrase (its value is not shown); fix: ${SECRET_FIX}`,
        ],
      ],
    ),
    [
      "a PIN behind its option",
      "signatureCommand",
      ["pkcs11-tool", "--pin", "4711", "--sign"],
      [
        `DPS-CERT-112 at p[2]: found what gives a PIN or a pass phrase (its value is not shown); fix: ${SECRET_FIX}`,
      ],
    ],
  ];
  for (const [name, kind, argv, expected] of rows) {
    it(`is refused with ${name}, and its arguments are not shown`, () => {
      const messages = commandFaults(kind, argv, "p").map(formatFault);
      assert.deepEqual(messages, expected);
      assert.ok(!messages.join().includes("4711"));
    });
  }

  it("has its placeholders filled in wherever they stand, once", () => {
    assert.deepEqual(
      filledIn(["a", "fileb://{tbs}", "{digest}{digest}", "{x}"], { tbs: "/t", digest: "{tbs}" }),
      ["a", "fileb:///t", "{tbs}{tbs}", "{x}"],
    );
  });
});
