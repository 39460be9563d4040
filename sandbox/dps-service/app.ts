/** The HTTPS application of one provisioning service: service API and device API on one listener. */
import type { FastifyInstance } from "fastify";
import { dpsError, type HttpError } from "../common/errors";
import { createApp, type Failure } from "../common/http";
import type { Sandbox, ServerIdentity } from "../common/model";
import { Registrar } from "../dps-device/registrar";
import { deviceRoutes } from "../dps-device/routes";
import { serviceRoutes } from "./routes";
import { badRequest, notWritten } from "./service-errors";

export interface ProvisioningApp {
  app: FastifyInstance;
  registrar: Registrar;
}

/**
 * @param names host names and addresses under which clients reach the service, beside its own name
 */
export function createProvisioningApp(
  sandbox: Sandbox,
  serviceName: string,
  identity: ServerIdentity,
  names: string[],
): ProvisioningApp {
  const registrar = new Registrar(sandbox, serviceName);
  const app = createApp(sandbox, {
    service: (path) => (isServicePath(path) ? "dps-service" : "dps-device"),
    instance: serviceName,
    identity,
    clientCertificates: true,
    errorBody: (failure) => errorBody(failure, sandbox.clock.now()),
  });
  serviceRoutes(app, { sandbox, registrar, names });
  deviceRoutes(app, sandbox, registrar);
  return { app, registrar };
}

function isServicePath(path: string): boolean {
  return /^\/(enrollments|enrollmentgroups|registrations)(\/|$)/i.test(path);
}

function errorBody({ status, message }: Failure, now: Date): HttpError {
  if (status === 400) {
    return badRequest(now, message);
  }
  return status === 501 ? notWritten(now, message) : dpsError(status, status * 1000, message, now);
}
