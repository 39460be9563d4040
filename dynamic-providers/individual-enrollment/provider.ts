import { EnrollmentsClient } from "../../clients/enrollments";
import { enrollmentHandler } from "../enrollment/provider";

/** Individual enrollments: the leaf certificate itself stands in the slot. */
export const individualEnrollment = enrollmentHandler({
  noun: "individual enrollment",
  kind: "individual",
  get: async (connection, id) => new EnrollmentsClient(connection).getIndividual(id),
  put: async (connection, id, record, etag) =>
    new EnrollmentsClient(connection).putIndividual({ ...record, registrationId: id }, etag),
  delete: async (connection, id, etag) =>
    new EnrollmentsClient(connection).deleteIndividual(id, etag),
  attestation: ({ primary, secondary }) =>
    primary === undefined && secondary === undefined
      ? // DPS makes the keys, and nobody is told them: the entry is there to deny its ID.
        { type: "symmetricKey", symmetricKey: {} }
      : {
          type: "x509",
          x509: {
            clientCertificates: {
              ...(primary && { primary: { certificate: primary.pem } }),
              ...(secondary && { secondary: { certificate: secondary.pem } }),
            },
          },
        },
});
