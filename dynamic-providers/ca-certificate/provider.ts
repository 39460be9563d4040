import { readFileSync } from "node:fs";
import { CaCertificatesClient, type LiveCaCertificate } from "../../clients/ca-certificates";
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { issueProofOfPossession } from "../../certificates/proof-of-possession";
import type { CertificateSummary } from "../../certificates/summary";
import { type Handler, hasUnknown, say } from "../handler";
import { liveSlots } from "../enrollment/slots";

/** How possession of the CA's private key is proved to DPS. */
export type Proof =
  /** The key in a PEM file on the machine that runs `pulumi up`; read then, never stored. */
  | { keyFile: string }
  /** The key itself, of a CA made in the stack (sandbox only); a secret in the state. */
  | { keyPem: string }
  /** None: DPS is told to take the certificate as verified. */
  | { selfAttested: true };

export interface CaCertificateInputs {
  connection: Connection;
  /** Name of the certificate in DPS; groups refer to it by this name. */
  name: string;
  pem: string;
  certificate: CertificateSummary;
  proof: Proof;
}

export interface CaCertificateOutputs extends CaCertificateInputs {
  live: {
    /** SHA-1, upper-case hex: what ARM shows of a certificate's identity. */
    sha1Thumbprint: string;
    subject: string;
    isVerified: boolean;
    etag: string;
  };
}

/**
 * A CA certificate of a DPS, through ARM (not `azure-native`, which sends no If-Match and cannot
 * prove possession). Azure: "How to verify X.509 CA certificates with your Device Provisioning Service".
 */
export const caCertificate: Handler<CaCertificateInputs, CaCertificateOutputs> = {
  async check(_olds, news) {
    return { inputs: news };
  },

  async diff(_id, olds, news) {
    const replaces = [
      ...(olds.name === news.name ? [] : ["name"]),
      ...(hasUnknown(news.connection) ||
      olds.connection.serviceHostName === news.connection.serviceHostName
        ? []
        : ["connection"]),
    ];
    const same =
      !hasUnknown(news.certificate) &&
      olds.live.sha1Thumbprint === news.certificate.sha1Thumbprint &&
      olds.live.isVerified;
    return { changes: !same || replaces.length > 0, replaces };
  },

  async create(inputs) {
    const client = new CaCertificatesClient(inputs.connection);
    const found = await client.get(inputs.name);
    if (found !== undefined && found.thumbprint !== inputs.certificate.sha1Thumbprint) {
      throw new Error(
        `CA certificate "${inputs.name}" is in DPS already with other content: found ${found.subject}, SHA-1 ${found.thumbprint}; ` +
          `declared ${inputs.certificate.subjectCommonName}, SHA-1 ${inputs.certificate.sha1Thumbprint}. Choose another name; a name is never given to another certificate.`,
      );
    }
    const prove = await proofOwed(inputs, found);
    const uploaded = found ?? (await upload(client, inputs));
    if (found !== undefined) {
      say(
        `CA certificate "${inputs.name}" is in DPS already with this content; going on from there.`,
      );
    }
    return {
      id: inputs.name,
      outs: { ...inputs, live: live(await verified(client, inputs.name, prove, uploaded)) },
    };
  },

  async read(id, props) {
    const found = await new CaCertificatesClient(props.connection).get(id);
    return found === undefined ? {} : { id, props: { ...props, live: live(found) } };
  },

  async update(id, olds, news) {
    const client = new CaCertificatesClient(news.connection);
    const found = await client.get(id);
    if (
      found !== undefined &&
      found.thumbprint !== olds.live.sha1Thumbprint &&
      found.thumbprint !== news.certificate.sha1Thumbprint
    ) {
      throw new Error(
        `CA certificate "${id}" was changed by somebody else and is left as it is: found ${found.subject}, SHA-1 ${found.thumbprint}; ` +
          `expected SHA-1 ${olds.live.sha1Thumbprint}. Find out who did it before you go on.`,
      );
    }
    const same = found?.thumbprint === news.certificate.sha1Thumbprint;
    if (found !== undefined && !same) {
      await refuseWhileReferredTo(
        news.connection,
        id,
        "given another certificate",
        "Add the new certificate under a new name, and move the groups to it.",
      );
    }
    const prove = await proofOwed(news, same ? found : undefined);
    const uploaded = same ? found : await upload(client, news, found?.etag);
    return { outs: { ...news, live: live(await verified(client, news.name, prove, uploaded)) } };
  },

  async delete(id, props) {
    const client = new CaCertificatesClient(props.connection);
    const found = await client.get(id);
    if (found === undefined) {
      return;
    }
    if (found.thumbprint !== props.live.sha1Thumbprint) {
      throw new Error(
        `CA certificate "${id}" now holds another certificate (${found.subject}, SHA-1 ${found.thumbprint}) than this stack wrote (SHA-1 ${props.live.sha1Thumbprint}); it is not deleted.`,
      );
    }
    await refuseWhileReferredTo(
      props.connection,
      id,
      "deleted",
      "Take it out of these groups first.",
    );
    await client.delete(id, found.etag);
  },
};

async function upload(
  client: CaCertificatesClient,
  inputs: CaCertificateInputs,
  etag?: string,
): Promise<LiveCaCertificate> {
  return client.upload(inputs.name, inputs.pem, {
    ...(etag !== undefined && { ifMatch: etag }),
    selfAttested: "selfAttested" in inputs.proof,
  });
}

/** Signs a verification code with the CA's key. */
type Prove = (code: string) => Promise<string>;

/**
 * The proof that DPS will ask for; undefined when it asks for none. Tried before anything is
 * uploaded, so that a missing key, or another CA's, changes nothing.
 */
async function proofOwed(
  { name, pem, proof }: CaCertificateInputs,
  found: LiveCaCertificate | undefined,
): Promise<Prove | undefined> {
  if (found?.isVerified === true || "selfAttested" in proof) {
    return undefined;
  }
  try {
    const keyPem = "keyPem" in proof ? proof.keyPem : readKeyFile(proof.keyFile);
    const prove: Prove = (code) => issueProofOfPossession(code, pem, keyPem);
    await prove("trial");
    return prove;
  } catch (error) {
    throw new Error(
      `CA certificate "${name}" cannot be verified, so nothing was uploaded: ${(error as Error).message}. ` +
        "Give the CA's own private key in PEM, unencrypted; a path is relative to the folder of the program.",
      { cause: error },
    );
  }
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new Error(`the key file ${file} cannot be read (${code})`, { cause: error });
  }
}

/** Proves possession where that is still owed, and reads back that DPS holds it as verified. */
async function verified(
  client: CaCertificatesClient,
  name: string,
  prove: Prove | undefined,
  uploaded: LiveCaCertificate,
): Promise<LiveCaCertificate> {
  if (prove !== undefined) {
    const { code, etag } = await client.generateVerificationCode(name, uploaded.etag);
    await client.verify(name, await prove(code), etag);
  }
  const found = await client.get(name);
  if (found?.isVerified !== true) {
    throw new Error(
      `CA certificate "${name}" is not verified in DPS after its proof of possession. Run \`pulumi up\` again.`,
    );
  }
  return found;
}

/** Throws when a group still refers to the CA certificate by name: it would admit no device any more. */
async function refuseWhileReferredTo(
  connection: Connection,
  name: string,
  what: string,
  advice: string,
): Promise<void> {
  const groups = await new EnrollmentsClient(connection).queryGroups();
  const referring = groups.filter(({ attestation }) => {
    const { primary, secondary } = liveSlots(attestation);
    return [primary?.ca, secondary?.ca].some((ca) => ca?.toLowerCase() === name.toLowerCase());
  });
  if (referring.length > 0) {
    const names = referring.map(({ enrollmentGroupId }) => `"${enrollmentGroupId}"`).join(", ");
    throw new Error(
      `CA certificate "${name}" is not ${what}: enrollment group ${names} still refers to it. ${advice}`,
    );
  }
}

function live({
  thumbprint,
  subject,
  isVerified,
  etag,
}: LiveCaCertificate): CaCertificateOutputs["live"] {
  return { sha1Thumbprint: thumbprint, subject, isVerified, etag };
}
