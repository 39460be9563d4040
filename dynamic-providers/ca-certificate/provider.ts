import { CaCertificatesClient } from "../../clients/ca-certificates";
import { joiningFault } from "../../certificates/ca-joining";
import { faultError, formatFault } from "../../certificates/faults";
import type { CertificateSummary } from "../../certificates/summary";
import { type Handler, hasUnknown, say } from "../handler";
import { warn } from "../warning";
import { sameTerms, type Standing, standing } from "./drift";
import { type CaCertificateInputs, type CaCertificateOutputs, reenabledBy, seen } from "./live";
import { whatToDo } from "./offline";
import { proofPath, waits } from "./proof";
import { refuseWhileReferredTo } from "./references";
import { settle } from "./settle";

/**
 * A CA certificate of a DPS, through ARM (not `azure-native`, which sends no If-Match and cannot
 * prove possession). Azure: "How to verify X.509 CA certificates with your Device Provisioning Service".
 */
export const caCertificate: Handler<CaCertificateInputs, CaCertificateOutputs> = {
  async check(olds, news) {
    if (hasUnknown(news.certificate) || hasUnknown(news.compromised)) {
      return { inputs: news };
    }
    const own = [olds, news].map(({ certificate }) => certificate?.publicKeySha256);
    const compromised = (news.compromised ?? []).filter(({ key }) => own.includes(key));
    return { inputs: { ...news, compromised } };
  },

  async diff(_id, olds, news) {
    const replaces = [
      ...(olds.name === news.name ? [] : ["name"]),
      ...(hasUnknown(news.connection) ||
      olds.connection.serviceHostName === news.connection.serviceHostName
        ? []
        : ["connection"]),
    ];
    if (hasUnknown(news.certificate) || hasUnknown(news.compromised)) {
      return { changes: true, replaces };
    }
    const now = standing(olds, news);
    warnOf(now);
    if (now.is === "settled" && olds.pending !== undefined) {
      say(`CA certificate "${news.name}" waits for its proof. ${whatToDo(news, olds.pending)}`);
    }
    return {
      changes: replaces.length > 0 || now.is === "owed" || !sameTerms(olds, news),
      replaces,
    };
  },

  async create(inputs) {
    const client = new CaCertificatesClient(inputs.connection);
    const found = await client.get(inputs.name);
    const fault = joiningFault(
      {
        name: inputs.name,
        certificate: inputs.certificate,
        adopt: inputs.adopt === true,
        hasProof: inputs.proof !== undefined,
      },
      found && {
        sha1Thumbprint: found.thumbprint,
        subject: found.subject,
        isVerified: found.isVerified,
      },
    );
    if (fault !== undefined) throw new Error(formatFault(fault));
    if (found !== undefined) {
      say(
        inputs.adopt === true
          ? `CA certificate "${inputs.name}" is adopted as it is in DPS.`
          : `CA certificate "${inputs.name}" is in DPS already with this content; going on from there.`,
      );
    }
    // Who verified what was there already is not known.
    const attested = inputs.proof !== undefined && "selfAttested" in inputs.proof;
    return { id: inputs.name, outs: await settle(client, inputs, { found, attested }) };
  },

  async read(id, props) {
    const outs = seen(props, await new CaCertificatesClient(props.connection).get(id));
    warnOf(standing(outs, props));
    return { id, props: outs };
  },

  async update(id, olds, news) {
    const client = new CaCertificatesClient(news.connection);
    const found = await client.get(id);
    const declared = news.certificate.sha1Thumbprint;
    if (
      found !== undefined &&
      found.thumbprint !== olds.live.sha1Thumbprint &&
      found.thumbprint !== declared
    ) {
      throw faultError(
        "DPS-CERT-160",
        proofPath(id),
        `a CA certificate that somebody else changed: in DPS ${found.subject}, SHA-1 ${found.thumbprint}; expected SHA-1 ${olds.live.sha1Thumbprint}`,
        "find out who did it; declare what is there with adopt, or delete it in DPS",
      );
    }
    // A run that was killed may have uploaded the declared certificate over another one.
    const same = found?.thumbprint === declared;
    const goesOn = same && olds.live.sha1Thumbprint !== declared;
    const seenNow = seen(olds, found);
    if (standing(goesOn ? olds : seenNow, news).is !== "owed") {
      const { live, attested, pending, reenabled } = seenNow;
      const outs = {
        ...news,
        live,
        ...(attested === true && { attested }),
        ...reenabledBy(news, reenabled),
      };
      return { outs: pending === undefined ? outs : { ...outs, pending } };
    }
    if (!same && found !== undefined && olds.certificate.sha1Thumbprint === found.thumbprint) {
      await refuseWhileReferredTo(
        news.connection,
        id,
        "given another certificate",
        "add the new certificate under a new name, and move the groups to it",
        { onlyEnabled: isCompromised(news, olds.certificate) },
      );
    }
    const { attested, pending, reenabled } = olds;
    const untrusted = same && pending !== undefined && waits(news.proof) && found.isVerified;
    return { outs: await settle(client, news, { found, attested, pending, reenabled, untrusted }) };
  },

  async delete(id, props) {
    const client = new CaCertificatesClient(props.connection);
    const found = await client.get(id);
    if (found === undefined) {
      return;
    }
    if ((props.retain ?? props.adopt ?? false) && !isCompromised(props, props.certificate)) {
      say(`CA certificate "${id}" is let go of, and stays in DPS as it is.`);
      return;
    }
    if (found.thumbprint !== props.certificate.sha1Thumbprint) {
      throw faultError(
        "DPS-CERT-160",
        proofPath(id),
        `a CA certificate that this stack did not write, and does not delete: in DPS ${found.subject}, SHA-1 ${found.thumbprint}`,
        "delete it in DPS, or take it out of the state (`pulumi state delete`)",
      );
    }
    await refuseWhileReferredTo(
      props.connection,
      id,
      "deleted",
      "take it out of these groups first",
    );
    await client.delete(id, found.etag);
  },
};

function isCompromised(
  { compromised = [] }: CaCertificateInputs,
  { publicKeySha256 }: CertificateSummary,
): boolean {
  return compromised.some(({ key }) => key === publicKeySha256);
}

function warnOf({ words }: Standing): void {
  if (words !== undefined) warn(words);
}
