import type { EnrollmentsClient } from "../../clients/enrollments";
import type { TwinParts } from "../../clients/hub-registry";
import type { Candidate } from "./candidates";

/** What DPS writes into the twin of a device when it makes its identity. Read when it is needed. */
export class InitialTwins {
  private groups: Promise<Partial<TwinParts>[]> | undefined;

  constructor(private readonly client: EnrollmentsClient) {}

  /** Of its individual enrollment; else of every group, because DPS does not tell which one it came in through. */
  async of({ registrationId }: Pick<Candidate, "registrationId">): Promise<Partial<TwinParts>[]> {
    const own = await this.client.getIndividual(registrationId);
    if (own !== undefined) {
      return partsOf([own]);
    }
    this.groups ??= this.client.queryGroups().then(partsOf);
    return this.groups;
  }
}

interface WithInitialTwin {
  initialTwin?: { tags?: object; properties?: { desired?: object } };
}

function partsOf(enrollments: WithInitialTwin[]): Partial<TwinParts>[] {
  return enrollments.flatMap(({ initialTwin }) =>
    initialTwin === undefined
      ? []
      : [
          {
            tags: { ...initialTwin.tags },
            desired: { ...initialTwin.properties?.desired },
          },
        ],
  );
}
