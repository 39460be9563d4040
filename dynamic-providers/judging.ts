import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import { type Fault, formatFault, refusals } from "../certificates/faults";
import { type Handler, hasUnknown, say } from "./handler";
import { type DeclaredInputs, resolved } from "./rotation-manifest/declared-inputs";

/** Says the warnings, and answers the refusals as failures of a `check`. */
export function failuresOf(faults: readonly Fault[]): pulumi.dynamic.CheckFailure[] {
  const refused = refusals(faults);
  for (const warning of faults.filter((fault) => !refused.includes(fault))) {
    say(`warning: ${formatFault(warning)}`);
  }
  // Without a property the engine does not print its value, nor the path a second time.
  return refused.map((fault) => ({ property: "", reason: formatFault(fault) }));
}

/** A resource that has nothing in Azure: all that it does is done in its `check`. */
export function sayingOnly<Inputs>(
  id: string,
  changes: (olds: Inputs, news: Inputs) => boolean,
): Omit<Handler<Inputs>, "check"> {
  return {
    async diff(_id, olds, news) {
      return { changes: changes(olds, news) };
    },

    async create(inputs) {
      return { id, outs: inputs };
    },

    async read(id, props) {
      return { id, props };
    },

    async update(_id, _olds, news) {
      return { outs: news };
    },

    async delete() {
      // There is nothing in Azure to delete.
    },
  };
}

/** Whether something else is declared, or not known yet. */
export function declaredChanges(olds: DeclaredInputs, news: DeclaredInputs): boolean {
  return hasUnknown(news) || !isDeepStrictEqual(resolved(olds), resolved(news));
}
