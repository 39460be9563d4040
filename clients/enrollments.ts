/** Enrollments and registrations of a DPS instance, through Microsoft's service SDK. */
import type { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import type {
  EnrollmentGroup as SdkGroup,
  IndividualEnrollment as SdkIndividual,
} from "azure-iot-provisioning-service/dist/interfaces";
import { call, find, type Pacing, remove } from "./calls";
import { credentialOf, provisioningServiceKey } from "./credentials";
import type {
  Attestation,
  EnrollmentGroup,
  EnrollmentGroupToWrite,
  IndividualEnrollment,
  IndividualEnrollmentToWrite,
  RegistrationRecord,
} from "./enrollment-records";
import { sdks } from "./sdks";
import { type Attempt, unusable } from "./service-error";
import { type Connection, perConnection } from "./target";

export type * from "./enrollment-records";

/** Largest page DPS answers. */
const PAGE_SIZE = 100;

const serviceClients = perConnection(async (connection) => {
  const { ProvisioningServiceClient: Client } = sdks.provisioningService();
  return connection.auth === "keys"
    ? Client.fromConnectionString(await provisioningServiceKey(connection))
    : Client.fromTokenCredential(connection.serviceHostName, credentialOf(connection));
});

/**
 * All methods throw `ServiceError`: "PreconditionFailed" when the etag is not the current one,
 * "Conflict" when something is to be created that is there. Never sends `If-Match: *`.
 */
export class EnrollmentsClient {
  constructor(
    private readonly connection: Connection,
    private readonly pacing?: Pacing,
  ) {}

  /** Reading one also tells its `registrationState`. */
  async getIndividual(registrationId: string): Promise<IndividualEnrollment | undefined> {
    return this.find(`read individual enrollment "${registrationId}"`, (sdk) =>
      sdk.getIndividualEnrollment(registrationId),
    );
  }

  /** Creates without an etag; with one replaces exactly that version. */
  async putIndividual(
    record: IndividualEnrollmentToWrite,
    etag?: string,
  ): Promise<IndividualEnrollment> {
    const body = writable(record, etag) as unknown as SdkIndividual;
    return this.call(`write individual enrollment "${record.registrationId}"`, (sdk) =>
      sdk.createOrUpdateIndividualEnrollment(body),
    );
  }

  /**
   * The attestation of an individual enrollment with its symmetric keys, which no other reading shows: sent
   * back with a change, it keeps them. A secret.
   */
  async attestationOf(registrationId: string): Promise<Attestation> {
    return this.call(`read the attestation of individual enrollment "${registrationId}"`, (sdk) =>
      sdk.getIndividualEnrollmentAttestationMechanism(registrationId),
    );
  }

  /** Deletes exactly that version; one that is gone already is done. */
  async deleteIndividual(registrationId: string, etag: string): Promise<void> {
    await this.remove(`delete individual enrollment "${registrationId}"`, (sdk) =>
      sdk.deleteIndividualEnrollment(registrationId, etag),
    );
  }

  async getGroup(id: string): Promise<EnrollmentGroup | undefined> {
    return this.find(`read enrollment group "${id}"`, (sdk) => sdk.getEnrollmentGroup(id));
  }

  /** Creates without an etag; with one replaces exactly that version. */
  async putGroup(record: EnrollmentGroupToWrite, etag?: string): Promise<EnrollmentGroup> {
    const body = writable(record, etag) as unknown as SdkGroup;
    return this.call(`write enrollment group "${record.enrollmentGroupId}"`, (sdk) =>
      sdk.createOrUpdateEnrollmentGroup(body),
    );
  }

  /** Deletes exactly that version; one that is gone already is done. Registrations stay. */
  async deleteGroup(id: string, etag: string): Promise<void> {
    await this.remove(`delete enrollment group "${id}"`, (sdk) =>
      sdk.deleteEnrollmentGroup(id, etag),
    );
  }

  /** All individual enrollments. */
  async queryIndividuals(): Promise<IndividualEnrollment[]> {
    return this.allPages("list the individual enrollments", (sdk) =>
      sdk.createIndividualEnrollmentQuery({ query: "SELECT *" }, PAGE_SIZE),
    );
  }

  /** All enrollment groups. */
  async queryGroups(): Promise<EnrollmentGroup[]> {
    return this.allPages("list the enrollment groups", (sdk) =>
      sdk.createEnrollmentGroupQuery({ query: "SELECT *" }, PAGE_SIZE),
    );
  }

  /**
   * All registrations that came in through a group, also of a group that is disabled.
   * @param atMost ends with the page in which there are more than so many
   */
  async registrationsOfGroup(id: string, atMost = Infinity): Promise<RegistrationRecord[]> {
    return this.allPages(
      `list the registrations of enrollment group "${id}"`,
      (sdk) =>
        sdk.createEnrollmentGroupDeviceRegistrationStateQuery({ query: "SELECT *" }, id, PAGE_SIZE),
      atMost,
    );
  }

  async getRegistration(registrationId: string): Promise<RegistrationRecord | undefined> {
    return this.find(`read registration "${registrationId}"`, (sdk) =>
      sdk.getDeviceRegistrationState(registrationId),
    );
  }

  /** Deletes exactly that version; one that is gone already is done. */
  async deleteRegistration(registrationId: string, etag: string): Promise<void> {
    await this.remove(`delete registration "${registrationId}"`, (sdk) =>
      sdk.deleteDeviceRegistrationState(registrationId, etag),
    );
  }

  private async call<T>(operation: string, run: Run<{ responseBody: unknown }>): Promise<T> {
    const sdk = await serviceClients(this.connection);
    const { responseBody } = await call(this.attempt(operation), () => run(sdk), this.pacing);
    return responseBody as T;
  }

  private async find<T>(
    operation: string,
    run: Run<{ responseBody: unknown }>,
  ): Promise<T | undefined> {
    const sdk = await serviceClients(this.connection);
    const found = await find(this.attempt(operation), () => run(sdk), this.pacing);
    return found?.responseBody as T | undefined;
  }

  private async remove(operation: string, run: Run<unknown>): Promise<void> {
    const sdk = await serviceClients(this.connection);
    await remove(this.attempt(operation), () => run(sdk), this.pacing);
  }

  /**
   * The SDK's `query.next()` without an argument forgets where it was and reads the first page
   * again, so each page is asked for by its continuation token.
   */
  private async allPages<T>(
    operation: string,
    query: (sdk: ProvisioningServiceClient) => Pages,
    atMost = Infinity,
  ): Promise<T[]> {
    const sdk = await serviceClients(this.connection);
    const items: unknown[] = [];
    let token: string | undefined;
    do {
      // The SDK takes null as "from the start".
      const from = token ?? null;
      const { responseBody, httpResponse } = await call(
        this.attempt(operation),
        () => query(sdk).next(from as string),
        this.pacing,
      );
      if (!Array.isArray(responseBody)) {
        throw unusable(operation, this.connection.serviceHostName, "what is not a list");
      }
      items.push(...(responseBody as unknown[]));
      const next = httpResponse?.headers["x-ms-continuation"];
      if (next !== undefined && next === token) {
        throw unusable(operation, this.connection.serviceHostName, "the same next page twice");
      }
      token = typeof next === "string" && next !== "" ? next : undefined;
    } while (token !== undefined && items.length <= atMost);
    return items as T[];
  }

  private attempt(operation: string): Attempt {
    const { connection } = this;
    return { operation, service: "dps", host: connection.serviceHostName, connection };
  }
}

type Run<T> = (sdk: ProvisioningServiceClient) => Promise<T>;

interface Pages {
  next(
    continuationToken: string,
  ): Promise<{ responseBody: unknown; httpResponse?: { headers: NodeJS.Dict<string | string[]> } }>;
}

const READ_ONLY = new Set([
  "etag",
  "registrationState",
  "createdDateTimeUtc",
  "lastUpdatedDateTimeUtc",
]);

/** The record without what only DPS writes; the SDK makes If-Match of its etag. */
function writable(record: object, etag: string | undefined): object {
  const fields = Object.entries(record).filter(([name]) => !READ_ONLY.has(name));
  return { ...Object.fromEntries(fields), ...(etag !== undefined && { etag }) };
}
