/**
 * A status in the text format of Prometheus, for a file that node_exporter's textfile collector reads.
 * Source: prometheus.io/docs/instrumenting/exposition_formats and …/practices/naming.
 */
import { renameSync, writeFileSync } from "node:fs";
import type { CertificateStatus, Status } from "./status";

type Labels = Record<string, string>;

interface Metric {
  name: string;
  help: string;
  samples: { labels: Labels; value: number }[];
}

/** All gauges. Times are in seconds since 1970; what is not known has no sample. */
export function prometheusText(status: Status): string {
  return metricsOf(status)
    .map(({ name, help, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} gauge`,
        ...samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`),
      ].join("\n"),
    )
    .join("\n")
    .concat("\n");
}

/** Whoever reads the file sees the old or the new one whole. */
export function writePrometheus(file: string, status: Status): void {
  const next = `${file}.${process.pid}.tmp`;
  writeFileSync(next, prometheusText(status));
  renameSync(next, file);
}

function metricsOf(status: Status): Metric[] {
  const service = { service: status.service };
  const entries = status.entries.map((entry) => ({
    entry,
    labels: { ...service, kind: entry.kind, entry: entry.id },
  }));
  return [
    {
      name: "dps_certificate_not_after_timestamp_seconds",
      help: "End of a certificate in a slot of an enrollment.",
      samples: entries.flatMap(({ entry, labels }) =>
        entry.slots.flatMap((slot) =>
          ending(slot, { ...labels, slot: slot.name, role: slot.role, ...certificate(slot) }),
        ),
      ),
    },
    {
      name: "dps_ca_certificate_not_after_timestamp_seconds",
      help: "End of a CA certificate of the service.",
      samples: status.caCertificates.flatMap((ca) =>
        ending(ca, { ...service, ca: ca.name, ...certificate(ca) }),
      ),
    },
    {
      name: "dps_ca_certificate_verified",
      help: "Whether possession of a CA certificate's key was proven to the service: 1 or 0.",
      samples: status.caCertificates.map((ca) => ({
        labels: { ...service, ca: ca.name },
        value: Number(ca.verified),
      })),
    },
    {
      name: "dps_ca_certificates_free",
      help: "CA certificates that the service can still take.",
      samples: [{ labels: service, value: status.caEntries.limit - status.caEntries.used }],
    },
    {
      name: "dps_enrollment_enabled",
      help: "Whether an enrollment admits devices: 1 or 0.",
      samples: entries.map(({ entry, labels }) => ({ labels, value: Number(entry.enabled) })),
    },
    {
      name: "dps_enrollment_rolling",
      help: "Whether two different certificates stand in an enrollment's slots: 1 or 0.",
      samples: entries.map(({ entry, labels }) => ({ labels, value: Number(entry.rolling) })),
    },
    {
      name: "dps_enrollment_devices",
      help: "Devices on record under an enrollment, by hub and by evidence of the certificate they have.",
      samples: entries.flatMap(({ entry, labels }) =>
        entry.hubs.flatMap(({ hub, onOld, onNew, notKnown }) =>
          Object.entries({ old: onOld, new: onNew, not_known: notKnown }).map(
            ([evidence, value]) => ({ labels: { ...labels, hub, evidence }, value }),
          ),
        ),
      ),
    },
    {
      name: "dps_enrollment_first_leaf_not_after_timestamp_seconds",
      help: "End of the first leaf to end of those that devices of an enrollment report.",
      samples: entries.flatMap(({ entry, labels }) =>
        ending({ notAfter: entry.firstLeafEnds }, labels),
      ),
    },
    {
      name: "dps_status_incomplete",
      help: "Whether something could not be read: 1 or 0.",
      samples: [{ labels: service, value: Number(status.notRead.length > 0) }],
    },
    {
      name: "dps_status_read_timestamp_seconds",
      help: "When this was read.",
      samples: [{ labels: service, value: seconds(status.readAt) }],
    },
  ];
}

function ending({ notAfter }: { notAfter: string | null }, labels: Labels): Metric["samples"] {
  return notAfter === null ? [] : [{ labels, value: seconds(notAfter) }];
}

function certificate({ sha1Thumbprint, sha256Thumbprint, subject }: CertificateStatus): Labels {
  return {
    subject: subject ?? "",
    sha1: sha1Thumbprint ?? "",
    sha256: sha256Thumbprint ?? "",
  };
}

function seconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000);
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${quoted(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function quoted(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
