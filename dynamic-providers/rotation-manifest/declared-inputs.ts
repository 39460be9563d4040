import type { Declared } from "../../certificates/declared";
import { summarize } from "../../certificates/summary";
import type { IssuedLeavesFile } from "../device-registration-removal/scope";
import { UNKNOWN } from "../handler";

/** Everything declared, as an input of what judges it. */
export interface DeclaredInputs {
  /** Everything declared; certificates that the stack makes itself stand in it as not known. */
  declared: Declared;
  /** PEM of the certificates that the stack makes itself, by name. */
  made: Record<string, string>;
  /** The manifest of issued leaves. Default: none. */
  issuedLeaves?: IssuedLeavesFile;
  /** Whose time certificates are judged by. Default: this machine's. */
  target?: "sandbox" | "azure";
}

/** The declaration with the certificates that the stack has made by now. */
export function resolved({ declared, made }: DeclaredInputs): Declared {
  const certificates = { ...declared.certificates };
  for (const [name, pem] of Object.entries(made)) {
    if (pem !== UNKNOWN) {
      certificates[name] = { known: true, pem, summary: summarize(pem) };
    }
  }
  return { ...declared, certificates };
}
