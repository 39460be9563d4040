import { describeTarget } from "../../clients/target";
import { type Handler, hasUnknown, say } from "../handler";

export interface TargetInputs {
  target: "sandbox" | "azure";
}

/**
 * Names where this stack works, before anything else is said: nobody should think they rehearse while
 * they change a fleet. Registered first, which also lets the engine start the dynamic provider while the
 * rest of the program is being loaded.
 */
export const target: Handler<TargetInputs> = {
  async check(_olds, news) {
    if (hasUnknown(news)) {
      return { inputs: news };
    }
    try {
      say(describeTarget(news.target));
      return { inputs: news };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { inputs: news, failures: [{ property: "", reason }] };
    }
  },

  async diff(_id, olds, news) {
    return { changes: olds.target !== news.target };
  },

  async create(inputs) {
    return { id: "target", outs: inputs };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, _olds, news) {
    return { outs: news };
  },

  async delete() {
    // Says something; makes nothing.
  },
};
