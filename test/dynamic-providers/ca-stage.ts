/** CA certificates on a stage: handlers called as the engine calls them, and what people do by hand. */
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { issueProofOfPossession, keySigner } from "../../certificates/proof-of-possession";
import { summarize } from "../../certificates/summary";
import type {
  CaCertificateInputs,
  CaCertificateOutputs,
} from "../../dynamic-providers/ca-certificate/live";
import { caCertificate as handler } from "../../dynamic-providers/ca-certificate/provider";
import type { Switches } from "../../sandbox/common/switches";
import type { TestCa } from "../support/test-ca";
import { Stage, WITHOUT_HUBS } from "./stage";

export class CaStage {
  /** Name of the CA certificate of this test. */
  name = "root-0";
  private count = 0;

  private constructor(
    readonly stage: Stage,
    readonly client: CaCertificatesClient,
  ) {}

  static async open(switches?: Partial<Switches>): Promise<CaStage> {
    const stage = await Stage.open(WITHOUT_HUBS, switches);
    return new CaStage(stage, new CaCertificatesClient(stage.connection));
  }

  close(): Promise<void> {
    return this.stage.close();
  }

  /** A new name, an empty DPS and nothing said. */
  async fresh(): Promise<void> {
    this.count += 1;
    this.name = `root-${this.count}`;
    const { enrollments } = this.stage;
    for (const { enrollmentGroupId, etag } of await enrollments.queryGroups()) {
      await enrollments.deleteGroup(enrollmentGroupId, etag);
    }
    for (const { name, etag } of await this.client.list()) {
      await this.client.delete(name, etag);
    }
    this.stage.reset();
  }

  inputs(ca: TestCa, further: Partial<CaCertificateInputs> = {}): CaCertificateInputs {
    return {
      connection: this.stage.connection,
      name: this.name,
      pem: ca.pem,
      certificate: summarize(ca.pem),
      proof: { keyPem: ca.certificate.key },
      ...further,
    };
  }

  async create(inputs: CaCertificateInputs): Promise<CaCertificateOutputs> {
    return this.stage.listening(async () => (await handler.create(inputs)).outs);
  }

  async update(
    olds: CaCertificateOutputs,
    news: CaCertificateInputs,
  ): Promise<CaCertificateOutputs> {
    return this.stage.listening(async () => (await handler.update(this.name, olds, news)).outs);
  }

  async changes(olds: CaCertificateOutputs, news: CaCertificateInputs): Promise<boolean> {
    return this.stage.listening(
      async () => (await handler.diff(this.name, olds, news)).changes ?? false,
    );
  }

  /** `pulumi refresh` */
  async refresh(olds: CaCertificateOutputs): Promise<CaCertificateOutputs> {
    return this.stage.listening(async () => (await handler.read(this.name, olds)).props!);
  }

  async delete(olds: CaCertificateOutputs): Promise<void> {
    await this.stage.listening(() => handler.delete(this.name, olds));
  }

  /** `PUT root-1`, `POST root-1/verify` … since the last `reset`, in order. */
  get writes(): string[] {
    return this.stage.writes.map((write) => write.replace(/^(\w+) .*\/certificates\//, "$1 "));
  }

  /** What was said since the last `reset`, in one text. */
  get said(): string {
    return this.stage.said.join("\n");
  }

  async etag(): Promise<string> {
    return (await this.client.get(this.name))!.etag;
  }

  async isVerified(): Promise<boolean | undefined> {
    return (await this.client.get(this.name))?.isVerified;
  }

  /** Somebody deletes the certificate in the portal. */
  async deletedByHand(): Promise<void> {
    await this.client.delete(this.name, await this.etag());
  }

  /** Somebody uploads a certificate under the name: `selfAttested` with the portal's tick for "verified". */
  async uploadedByHand(ca: TestCa, selfAttested: boolean): Promise<void> {
    const found = await this.client.get(this.name);
    const ifMatch = found === undefined ? {} : { ifMatch: found.etag };
    await this.client.upload(this.name, ca.pem, { ...ifMatch, selfAttested });
  }
}

/** The certificate that a CA issues for a code, as somebody with its key does elsewhere. */
export function signedElsewhere(ca: TestCa, code: string): Promise<string> {
  return issueProofOfPossession(code, ca.pem, keySigner(ca.pem, ca.certificate.key));
}
