/** CA certificates of a DPS instance, through the resource manager (api-version 2022-02-05). */
import type { CertificateResponse } from "@azure/arm-deviceprovisioningservices";
import { call, find, type Pacing, remove } from "./calls";
import { provisioningServices, resourceManagerAttempt } from "./credentials";
import { type Attempt, unusable } from "./service-error";
import type { Connection } from "./target";

/** A CA certificate as the service shows it. */
export interface LiveCaCertificate {
  name: string;
  etag: string;
  isVerified: boolean;
  /** SHA-1, upper-case hex. */
  thumbprint: string;
  /** Common name, without "CN=". */
  subject: string;
  /** ISO 8601; undefined when the service sent none. */
  expiry?: string;
  /** When somebody wrote it last, ISO 8601, in the service's time; undefined when it sent none. */
  updated?: string;
  /** What was uploaded, PEM or DER, base64; the service does not always return it. */
  certificate?: string;
}

/** All methods throw `ServiceError`; "PreconditionFailed" when the etag is not the current one. */
export class CaCertificatesClient {
  constructor(
    private readonly connection: Connection,
    private readonly pacing?: Pacing,
  ) {}

  async get(name: string): Promise<LiveCaCertificate | undefined> {
    const found = await find(
      this.attempt(`read CA certificate "${name}"`),
      () => this.api.get(name, this.group, this.service),
      this.pacing,
    );
    return found && live(found);
  }

  async list(): Promise<LiveCaCertificate[]> {
    const { value } = await call(
      this.attempt("list the CA certificates"),
      () => this.api.list(this.group, this.service),
      this.pacing,
    );
    return (value ?? []).map(live);
  }

  /**
   * Creates the entry, or with `ifMatch` replaces the certificate in exactly that version of it, which
   * then is not verified.
   * @param pem one CA certificate
   * @param options.selfAttested true: taken as verified without a proof of possession
   */
  async upload(
    name: string,
    pem: string,
    options: { ifMatch?: string; selfAttested?: boolean } = {},
  ): Promise<LiveCaCertificate> {
    const body: CertificateResponse = {
      properties: {
        certificate: Buffer.from(pem),
        // Whether a replaced certificate would stay verified by itself is not known: said outright.
        ...((options.selfAttested === true || options.ifMatch !== undefined) && {
          isVerified: options.selfAttested ?? false,
        }),
      },
    };
    const etag = options.ifMatch === undefined ? {} : { ifMatch: options.ifMatch };
    return live(
      await call(
        this.attempt(`upload CA certificate "${name}"`),
        () => this.api.createOrUpdate(this.group, this.service, name, body, etag),
        this.pacing,
      ),
    );
  }

  /** A new code for the proof of possession, and the entry's new etag. Earlier codes end. */
  async generateVerificationCode(
    name: string,
    etag: string,
  ): Promise<{ code: string; etag: string }> {
    const attempt = this.attempt(`get a verification code for CA certificate "${name}"`);
    const response = await call(
      attempt,
      () => this.api.generateVerificationCode(name, etag, this.group, this.service),
      this.pacing,
    );
    const code = response.properties?.verificationCode;
    if (!code || !response.etag) {
      throw unusable(attempt.operation, attempt.host, "no code, or no etag");
    }
    return { code, etag: response.etag };
  }

  /**
   * Gives the proof of possession.
   * @param verificationPem a certificate whose common name is the code, signed with the CA's key
   */
  async verify(name: string, verificationPem: string, etag: string): Promise<LiveCaCertificate> {
    const request = { certificate: verificationPem.trim() };
    return live(
      await call(
        this.attempt(`verify CA certificate "${name}"`),
        () => this.api.verifyCertificate(name, etag, this.group, this.service, request),
        this.pacing,
      ),
    );
  }

  /** Deletes exactly that version; one that is gone already is done. */
  async delete(name: string, etag: string): Promise<void> {
    await remove(
      this.attempt(`delete CA certificate "${name}"`),
      () => this.api.delete(this.group, etag, this.service, name),
      this.pacing,
    );
  }

  private get api() {
    return provisioningServices(this.connection).dpsCertificate;
  }

  private get group(): string {
    return this.connection.resourceGroup;
  }

  private get service(): string {
    return this.connection.service;
  }

  private attempt(operation: string): Attempt {
    return resourceManagerAttempt(this.connection, `${operation} of DPS "${this.service}"`);
  }
}

function live({ name, etag, properties }: CertificateResponse): LiveCaCertificate {
  if (!name || !etag || !properties?.thumbprint) {
    throw unusable(
      `read CA certificate "${name ?? "?"}"`,
      "the resource manager",
      "a CA certificate without name, etag or thumbprint",
    );
  }
  return {
    name,
    etag,
    isVerified: properties.isVerified ?? false,
    thumbprint: properties.thumbprint.toUpperCase(),
    subject: properties.subject ?? "",
    ...(properties.expiry && { expiry: properties.expiry.toISOString() }),
    ...(properties.updated && { updated: properties.updated.toISOString() }),
    ...(properties.certificate && {
      certificate: Buffer.from(properties.certificate).toString("base64"),
    }),
  };
}
