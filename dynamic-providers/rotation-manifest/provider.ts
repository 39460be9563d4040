import { isDeepStrictEqual } from "node:util";
import type { Declared } from "../../certificates/declared";
import { formatFault, refusals } from "../../certificates/faults";
import { judge } from "../../certificates/rules";
import { summarize } from "../../certificates/summary";
import { type Handler, hasUnknown, say, UNKNOWN } from "../handler";

export interface RotationManifestInputs {
  /** Everything declared; certificates that the stack makes itself stand in it as not known. */
  declared: Declared;
  /** PEM of the certificates that the stack makes itself, by name. */
  made: Record<string, string>;
  /** What this change does to which certificate, in words; written by `check`. */
  rolls?: string[];
}

/**
 * Everything this stack declares, in one place, so that a change is judged as a whole against what
 * was declared before. Every other resource depends on it: a refusal stops all of them.
 */
export const rotationManifest: Handler<RotationManifestInputs> = {
  async check(olds, news) {
    const after = resolved(news);
    const before =
      olds.declared === undefined ? undefined : resolved(olds as RotationManifestInputs);
    if (isDeepStrictEqual(before, after)) {
      return { inputs: { ...news, rolls: olds.rolls ?? [] } };
    }
    const { faults, rolls } = judge(before, after, new Date());
    const refused = refusals(faults);
    for (const warning of faults.filter((fault) => !refused.includes(fault))) {
      say(`warning: ${formatFault(warning)}`);
    }
    return {
      inputs: {
        ...news,
        rolls: rolls.filter(({ phase }) => phase !== "none").map(({ words }) => words),
      },
      failures: refused.map((fault) => ({ property: fault.path, reason: formatFault(fault) })),
    };
  },

  async diff(_id, olds, news) {
    return { changes: hasUnknown(news) || !isDeepStrictEqual(resolved(olds), resolved(news)) };
  },

  async create(inputs) {
    return { id: "manifest", outs: inputs };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, _olds, news) {
    return { outs: news };
  },

  async delete() {
    // Declares nothing any more; there is nothing in Azure to delete.
  },
};

/** The declaration with the certificates that the stack has made by now. */
function resolved({ declared, made }: RotationManifestInputs): Declared {
  const certificates = { ...declared.certificates };
  for (const [name, pem] of Object.entries(made)) {
    if (pem !== UNKNOWN) {
      certificates[name] = { known: true, pem, summary: summarize(pem) };
    }
  }
  return { ...declared, certificates };
}
