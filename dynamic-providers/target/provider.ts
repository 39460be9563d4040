import { describeTarget } from "../../clients/target";
import { type Handler, hasUnknown, say } from "../handler";
import { sayingOnly } from "../judging";

export interface TargetInputs {
  target: "sandbox" | "azure";
}

/**
 * Names where this stack works, before anything else is said: nobody should think they rehearse while
 * they change a fleet. Registered first, which also lets the engine start the dynamic provider while the
 * rest of the program is being loaded.
 */
export const target: Handler<TargetInputs> = {
  ...sayingOnly<TargetInputs>("target", (olds, news) => olds.target !== news.target),

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
};
