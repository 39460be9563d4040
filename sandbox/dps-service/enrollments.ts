/** Individual enrollments and enrollment groups: read, write, delete, and in bulk. */
import { HttpError } from "../common/errors";
import type { Switches } from "../common/switches";
import { NotWrittenError } from "./attestation-body";
import { BodyError, list, object, oneOf, optional, required, text } from "./body-reader";
import { idProperty, readEnrollment } from "./enrollment-body";
import { MAX_BULK, MAX_GROUPS } from "./limits";
import {
  attestationType,
  dpsDate,
  newEtag,
  type Attestation,
  type Directory,
  type EnrollmentRecord,
  type EntryKind,
} from "./records";
import {
  badRequest,
  enrollmentExists,
  enrollmentNotFound,
  etagMismatch,
  limitReached,
  notWritten,
} from "./service-errors";

export class Enrollments {
  constructor(
    private readonly directory: Directory,
    private readonly switches: Switches,
    private readonly now: Date,
  ) {}

  get(kind: EntryKind, id: string): EnrollmentRecord {
    const found = this.directory.entry(kind, id);
    if (found === undefined) {
      throw enrollmentNotFound(this.now);
    }
    return found;
  }

  /**
   * Creates, or replaces the whole record.
   *
   * @param ifMatch the header as it was sent: a raw etag, or `*`
   */
  put(kind: EntryKind, id: string, body: unknown, ifMatch: string | undefined): EnrollmentRecord {
    const stored = this.directory.entry(kind, id);
    // Auth, then the body, then the etag: not known, assumed. A refused body never gives a 409.
    const { attestation, settings } = this.read(kind, id, body, stored);
    if (stored !== undefined && ifMatch === undefined) {
      throw enrollmentExists(this.now);
    }
    this.checkEtag(stored, ifMatch);
    this.checkLimit(kind, stored, attestation);
    const now = dpsDate(this.now);
    const record: EnrollmentRecord = {
      kind,
      id: stored?.id ?? id,
      attestation,
      settings,
      createdDateTimeUtc: stored?.createdDateTimeUtc ?? now,
      lastUpdatedDateTimeUtc: now,
      etag: newEtag(this.now),
    };
    this.checkSingleUse(record);
    return this.directory.putEntry(record);
  }

  delete(kind: EntryKind, id: string, ifMatch: string | undefined): void {
    const stored = this.get(kind, id);
    this.checkEtag(stored, ifMatch);
    const { individualDeleteRemovesRegistration } = this.switches;
    this.directory.deleteEntry(kind, id, {
      withRegistration: kind === "individual" && individualDeleteRemovesRegistration,
    });
  }

  /** Up to ten entries, one after the other; those that fail do not stop the others. */
  bulk(kind: EntryKind, value: unknown): object {
    const { mode, items } = this.readBulk(kind, value);
    const errors = items.flatMap((item) => this.oneOfBulk(kind, mode, item));
    return { errors, isSuccessful: errors.length === 0 };
  }

  private readBulk(kind: EntryKind, value: unknown) {
    const property = kind === "individual" ? "enrollments" : "enrollmentGroups";
    try {
      const body = object(value, "The body");
      const items = required(body, property, "", list(object));
      if (items.length === 0 || items.length > MAX_BULK) {
        throw new BodyError(`${property} must have 1 to ${MAX_BULK} entries.`);
      }
      const mode = required(
        body,
        "mode",
        "",
        oneOf("create", "update", "updateIfMatchETag", "delete"),
      );
      return { mode, items };
    } catch (error) {
      throw this.asHttpError(error);
    }
  }

  private oneOfBulk(kind: EntryKind, mode: string, item: Record<string, unknown>): object[] {
    const property = idProperty(kind);
    let id = "";
    try {
      id = required(item, property, "", text);
      const etag = optional(item, "etag", "", text);
      const exists = this.directory.entry(kind, id) !== undefined;
      if (mode === "delete") {
        this.delete(kind, id, etag);
      } else if (mode === "create") {
        if (exists) {
          throw enrollmentExists(this.now);
        }
        this.put(kind, id, item, undefined);
      } else {
        // not known, assumed: an update does not create.
        this.get(kind, id);
        if (mode === "updateIfMatchETag" && etag === undefined) {
          throw new BodyError("etag is required with mode updateIfMatchETag.");
        }
        // Recorded: "update" without an etag answers 409201 for an entry that exists.
        this.put(kind, id, item, etag);
      }
      return [];
    } catch (error) {
      const { errorCode, message } = this.asHttpError(error).body as Record<string, unknown>;
      return [{ [property]: id, errorCode, errorStatus: message }];
    }
  }

  private read(kind: EntryKind, id: string, body: unknown, stored: EnrollmentRecord | undefined) {
    try {
      return readEnrollment(body, {
        kind,
        id,
        stored,
        linkedHubs: this.directory.service.linkedHubs.map(({ name }) => name),
        hasCaCertificate: (name) =>
          this.directory
            .caCertificates()
            .some((ca) => ca.name.toLowerCase() === name.toLowerCase()),
        switches: this.switches,
      });
    } catch (error) {
      throw this.asHttpError(error);
    }
  }

  private checkEtag(stored: EnrollmentRecord | undefined, ifMatch: string | undefined): void {
    if (ifMatch === undefined) {
      return;
    }
    // An etag in further quotes gave "ETag is invalid" (C# SDK, v2 preview); status not known.
    if (/^(W\/)?"/.test(ifMatch)) {
      throw badRequest(this.now, "ETag is invalid.");
    }
    // not known, assumed from RFC 9110 13.1.1: If-Match on what does not exist is never true.
    if (stored === undefined || (ifMatch !== "*" && ifMatch !== stored.etag)) {
      throw etagMismatch(this.now);
    }
  }

  private checkLimit(
    kind: EntryKind,
    stored: EnrollmentRecord | undefined,
    attestation: Attestation,
  ): void {
    const type = attestationType(attestation);
    if (kind === "individual" || (stored && attestationType(stored.attestation) === type)) {
      return;
    }
    const alike = this.directory
      .entries("group")
      .filter((entry) => attestationType(entry.attestation) === type);
    if (alike.length >= MAX_GROUPS[type]) {
      throw limitReached(this.now);
    }
  }

  private checkSingleUse(record: EnrollmentRecord): void {
    if (this.switches.sameCertificateTwice === "accepted") {
      return;
    }
    const own = this.directory.certificatesOf(record);
    for (const kind of ["individual", "group"] as const) {
      for (const other of this.directory.entries(kind)) {
        const isItself = kind === record.kind && other.id.toLowerCase() === record.id.toLowerCase();
        const others = isItself ? [] : this.directory.certificatesOf(other);
        if (others.some((der) => own.some((mine) => mine.equals(der)))) {
          throw badRequest(this.now, `The certificate is already in the enrollment "${other.id}".`);
        }
      }
    }
  }

  private asHttpError(error: unknown): HttpError {
    if (error instanceof BodyError) {
      return badRequest(this.now, error.message);
    }
    if (error instanceof NotWrittenError) {
      return notWritten(this.now, `The sandbox does not have this operation: ${error.message}`);
    }
    if (error instanceof HttpError) {
      return error;
    }
    throw error;
  }
}
