/**
 * What the schema allows, because it is designed, and this version does not carry out. Each is
 * refused by name, so that nothing is silently ignored. A line goes when its feature comes.
 */
import { fault, type Fault } from "../certificates/faults";
import type { StackConfiguration } from "./configuration";

interface NotYet {
  /** What is asked for. */
  what: string;
  /** What can be done instead, in this version. */
  instead: string;
  /** The places where it is asked for. */
  places: (configuration: StackConfiguration) => string[];
}

const NOT_YET: NotYet[] = [
  {
    what: "removal in waves",
    instead: "use how: now",
    places: ({ remove }) => (remove.how === "waves" ? ["remove.how"] : []),
  },
  {
    what: "removal of evidenced devices only",
    instead: "use how: now",
    places: ({ remove }) => (remove.how === "evidenced" ? ["remove.how"] : []),
  },
  {
    what: "a manifest of issued leaves",
    instead: "leave it out",
    places: ({ remove }) => (remove.issuedLeaves === undefined ? [] : ["remove.issuedLeaves"]),
  },
  {
    what: "keeping hub identities and replacing their thumbprint",
    instead: "use keep: delete",
    places: ({ remove }) => (remove.keep === "rekey" ? ["remove.keep"] : []),
  },
];

export function notSupportedYet(configuration: StackConfiguration): Fault[] {
  return NOT_YET.flatMap(({ what, instead, places }) =>
    places(configuration).map((path) =>
      fault("DPS-CERT-090", path, `what is not supported yet: ${what}`, instead),
    ),
  );
}
