/** The one table of all faults; `docs/reference/fault-codes.md` is generated from it. */
import { BREACH } from "./fault-kinds/breach";
import { CONFIGURATION } from "./fault-kinds/configuration";
import { DURING_UP } from "./fault-kinds/during-up";
import { FLEET } from "./fault-kinds/fleet";
import { LIVE_SERVICE } from "./fault-kinds/live-service";
import { NOT_SUPPORTED } from "./fault-kinds/not-supported";
import { PROMOTION } from "./fault-kinds/promotion";
import { READING } from "./fault-kinds/reading";
import { REPROVISIONING } from "./fault-kinds/reprovisioning";
import { RETIREMENT } from "./fault-kinds/retirement";
import { SERVICE } from "./fault-kinds/service";
import { SLOTS } from "./fault-kinds/slots";

export type { Severity } from "./fault-kinds/fault-kind";

/** Codes are never reused. Each file of `fault-kinds/` has a range of them. */
export const FAULTS = {
  ...READING,
  ...CONFIGURATION,
  ...SLOTS,
  ...FLEET,
  ...BREACH,
  ...NOT_SUPPORTED,
  ...SERVICE,
  ...REPROVISIONING,
  ...RETIREMENT,
  ...PROMOTION,
  ...LIVE_SERVICE,
  ...DURING_UP,
} as const;
