import { EnrollmentsClient } from "../../clients/enrollments";
import { enrollmentHandler } from "../enrollment/provider";

/** Enrollment groups: slots name CA certificates of the DPS, or hold intermediate certificates. */
export const enrollmentGroup = enrollmentHandler({
  noun: "enrollment group",
  kind: "group",
  get: async (connection, id) => new EnrollmentsClient(connection).getGroup(id),
  put: async (connection, id, record, etag) =>
    new EnrollmentsClient(connection).putGroup({ ...record, enrollmentGroupId: id }, etag),
  delete: async (connection, id, etag) => new EnrollmentsClient(connection).deleteGroup(id, etag),
  attestation: ({ primary, secondary }) =>
    (primary ?? secondary)?.ca === undefined
      ? {
          type: "x509",
          x509: {
            signingCertificates: {
              ...(primary && { primary: { certificate: primary.pem } }),
              ...(secondary && { secondary: { certificate: secondary.pem } }),
            },
          },
        }
      : {
          type: "x509",
          x509: {
            caReferences: {
              ...(primary && { primary: primary.ca }),
              ...(secondary && { secondary: secondary.ca }),
            },
          },
        },
});
