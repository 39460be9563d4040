/** The words of the hub's query language, and the refusal of what the sandbox does not understand. */
import { HubFault } from "./faults";

const TOKEN =
  /\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([A-Za-z_$][\w$-]*)|(<>|!=|<=|>=|[=<>*.,()[\]]))/iy;

export function refused(what: string): HubFault {
  return new HubFault("ArgumentInvalid", `The sandbox does not support this query: ${what}`);
}

/** Reads a text word by word. Methods throw `HubFault` for what they do not find. */
export class Tokens {
  private readonly tokens: string[] = [];
  private at = 0;

  constructor(text: string) {
    TOKEN.lastIndex = 0;
    const end = text.trimEnd().length;
    while (TOKEN.lastIndex < end) {
      const at = TOKEN.lastIndex;
      const token = TOKEN.exec(text);
      if (token === null) {
        throw refused(`"${text.slice(at).trim().slice(0, 20)}" cannot be read`);
      }
      this.tokens.push(token[0].trim());
    }
  }

  /** The word that comes `ahead` words later; undefined at the end. */
  peek(ahead = 0): string | undefined {
    return this.tokens[this.at + ahead];
  }

  /** Is this the next word (keywords in any case), `ahead` words later? */
  sees(word: string, ahead = 0): boolean {
    return this.peek(ahead)?.toLowerCase() === word;
  }

  next(expected: string): string {
    const token = this.tokens[this.at];
    if (token === undefined) {
      throw refused(`it ends where ${expected} is expected`);
    }
    this.at += 1;
    return token;
  }

  /** Takes the word if it is the next one. */
  takes(word: string): boolean {
    const found = this.sees(word);
    this.at += found ? 1 : 0;
    return found;
  }

  demands(word: string): void {
    if (!this.takes(word)) {
      throw refused(`${word.toUpperCase()} is expected at "${this.peek() ?? ""}"`);
    }
  }

  end(): void {
    if (this.peek() !== undefined) {
      throw refused(`"${this.peek()}"`);
    }
  }
}
