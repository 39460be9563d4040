import { isDeepStrictEqual } from "node:util";
import type { Declared, Roll } from "../../certificates/declared";
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
    const changing = rolls.filter(({ phase }) => phase !== "none");
    if (refused.length === 0) {
      changing.forEach(announce);
    }
    return {
      inputs: {
        ...news,
        rolls: changing.map(({ words }) => words),
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

/** What a reviewer reads in the preview: procedure and phase, and the steps in their order. */
function announce({ words, steps }: Roll): void {
  say([words, ...steps.map((step, index) => `  ${index + 1}. ${step}`)].join("\n"));
}

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
