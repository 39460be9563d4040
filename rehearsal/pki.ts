/** A rehearsal's CA outside the stack: what it has issued, and the files that the stack reads. */
import { join } from "node:path";
import {
  identityOf,
  type Identity,
  issueIntermediate,
  issueLeaf,
  issueSelfSigned,
  type Pair,
  replace,
} from "./factory";

interface Issued {
  pair: Pair;
  /** Name of the certificate above it; undefined: it is self-signed. */
  issuer: string | undefined;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Certificates by the names that the stack's configuration has for them. */
export class Pki {
  private readonly all = new Map<string, Issued>();

  /** @param folder for the files */
  constructor(private readonly folder: string) {}

  /** The first of `root-a`, `root-b`, … that no certificate has yet. */
  nextName(prefix: string): string {
    const names = [...LETTERS].map((letter) => `${prefix}-${letter}`);
    const name = names.find((one) => !this.all.has(one));
    if (name === undefined) {
      throw new Error(`There are ${LETTERS.length} certificates called ${prefix} already.`);
    }
    return name;
  }

  async root(name: string, commonName: string, days = 730): Promise<void> {
    this.keep(name, await issueSelfSigned(commonName, { days, ca: true }));
  }

  async intermediate(name: string, commonName: string, issuer: string, days = 365): Promise<void> {
    const pair = await issueIntermediate(commonName, this.pair(issuer), { days });
    this.keep(name, pair, issuer);
  }

  /** A leaf that stands in a slot itself. */
  async selfSignedLeaf(name: string, commonName: string, days = 90): Promise<void> {
    this.keep(name, await issueSelfSigned(commonName, { days, ca: false }));
  }

  /** A leaf below a CA as its device has it: with the intermediates above it, without the root. */
  async leafBelow(issuer: string, commonName: string, days = 30): Promise<Identity> {
    const intermediates = this.intermediatesFrom(issuer);
    return issueLeaf(commonName, this.pair(issuer), { days, intermediates });
  }

  /** A device's leaf gets a name and a file, e.g. to be denied. */
  name(name: string, { chain, key }: Identity): void {
    const [leaf] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(chain)!;
    this.keep(name, { certificate: leaf, privateKey: key });
  }

  /** A self-signed leaf as its device has it. */
  identity(name: string): Identity {
    return identityOf(this.pair(name));
  }

  /** Takes in what was made in the stack. */
  learn(name: string, pair: Pair, issuer: string | undefined): void {
    this.all.set(name, { pair, issuer });
  }

  pair(name: string): Pair {
    return this.issued(name).pair;
  }

  issuerOf(name: string): string | undefined {
    return this.issued(name).issuer;
  }

  file(name: string): string {
    return join(this.folder, `${name}.pem`);
  }

  keyFile(name: string): string {
    return join(this.folder, `${name}.key.pem`);
  }

  /** Private keys, PEM, by name. */
  keys(): Map<string, string> {
    return new Map([...this.all].map(([name, { pair }]) => [name, pair.privateKey]));
  }

  private keep(name: string, pair: Pair, issuer?: string): void {
    this.all.set(name, { pair, issuer });
    replace(this.file(name), pair.certificate);
    replace(this.keyFile(name), pair.privateKey);
  }

  private issued(name: string): Issued {
    const found = this.all.get(name);
    if (found === undefined) {
      throw new Error(`Nothing has been issued under the name ${name}.`);
    }
    return found;
  }

  private intermediatesFrom(name: string): string[] {
    const { pair, issuer } = this.issued(name);
    return issuer === undefined ? [] : [pair.certificate, ...this.intermediatesFrom(issuer)];
  }
}
