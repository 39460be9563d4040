/** Writes certificate-zoo.md beside it. A script, not for import. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exhibits, zooPage } from "../../test/sandbox/dps-device/attestation/zoo";

async function main(): Promise<void> {
  writeFileSync(join(__dirname, "certificate-zoo.md"), await zooPage(await exhibits()));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
