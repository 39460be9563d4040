/**
 * The shape of the real components over a stand-in for the services: one containment for the
 * service, on which everything that replaces depends; then a journal; then the removal.
 */
import * as pulumi from "@pulumi/pulumi";
import { type Declared, declaredFrom } from "./declared";
import {
  caProvider,
  containmentProvider,
  entryProvider,
  journalProvider,
  removalProvider,
} from "./providers";

const declared: Declared = declaredFrom(process.env["ORDER_DECLARED"] ?? "");

class Step extends pulumi.dynamic.Resource {
  declare readonly contained: pulumi.Output<Record<string, string[]>>;
  declare readonly devices: pulumi.Output<string[]>;

  constructor(
    type: string,
    name: string,
    provider: pulumi.dynamic.ResourceProvider,
    props: pulumi.Inputs,
    dependsOn: pulumi.Resource[],
  ) {
    super(
      provider,
      name,
      { ...props, contained: undefined, devices: undefined },
      { dependsOn },
      "order",
      type,
    );
  }
}

const containment = new Step(
  "Containment",
  "containment",
  containmentProvider,
  { compromised: declared.compromised, cas: declared.cas },
  [],
);
const cas = new Map(
  declared.cas.map((name) => [name, new Step("Ca", name, caProvider, { name }, [containment])]),
);
const entries = Object.entries(declared.entries).map(
  ([id, entry]) =>
    new Step(
      "Entry",
      id,
      entryProvider,
      { entry: id, ...entry, compromised: declared.compromised },
      [containment, ...entry.slots.flatMap((slot) => cas.get(slot) ?? [])],
    ),
);
for (const key of declared.compromised) {
  const contained = containment.contained.apply((all) => all[key] ?? []);
  const journal = new Step(
    "Journal",
    `journal-${key}`,
    journalProvider,
    { key, entries: contained },
    [containment, ...entries],
  );
  new Step(
    "Removal",
    `removal-${key}`,
    removalProvider,
    { key, entries: contained, journal: journal.devices },
    [journal, ...entries],
  );
}
