/** Azure Resource Manager: the pipeline of every request, on one page, and the table of routes. */
import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { armError, HttpError, statusName } from "../common/errors";
import { createApp, pathOf, type Failure } from "../common/http";
import type { ServerIdentity } from "../common/model";
import { bearerToken, TokenError } from "../token/token-authority";
import { registerCaCertificates } from "./ca-certificates";
import { apiVersion, type ArmContext } from "./context";
import { iotHubs, registerHubStatistics } from "./iot-hubs";
import { registerOperationsList } from "./operations-list";
import { provisioningServices } from "./provisioning-services";
import { registerResourceGroups } from "./resource-groups";
import { registerLife } from "./service-life";
import { registerSubscriptions } from "./subscriptions";

/** ARM's HTTPS application; the caller makes it listen and sets `context.endpoint`. */
export function createArm(context: ArmContext, identity: ServerIdentity): FastifyInstance {
  const app = createApp(context.sandbox, {
    service: "arm",
    instance: "",
    identity,
    clientCertificates: false,
    errorBody: (failure) => errorBody(failure, context),
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "x-ms-request-id": randomUUID(),
      "x-ms-correlation-request-id": header(request, "x-ms-correlation-request-id"),
      "x-ms-version": "sandbox",
      "strict-transport-security": "max-age=31536000; includeSubDomains",
      "cache-control": "no-cache",
    });
    const path = pathOf(request).toLowerCase();
    if (!path.startsWith("/metadata/")) {
      context.sandbox.verifyToken(bearerToken(request.headers.authorization));
    }
    // Addresses of operations are given out by ARM; not every client adds the api-version to them.
    if (!path.includes("operationresults/")) {
      apiVersion(request);
    }
    requireSubscription(context, path);
  });

  registerSubscriptions(app, context);
  registerResourceGroups(app, context);
  registerLife(app, context, provisioningServices(context));
  registerLife(app, context, iotHubs(context));
  registerHubStatistics(app, context);
  registerCaCertificates(app, context);
  registerOperationsList(app);
  registerOperations(app, context);
  return app;
}

/** The addresses that `announce` gives out. */
function registerOperations(app: FastifyInstance, context: ArmContext): void {
  const subscription = "/subscriptions/:subscription";
  const devices = "providers/Microsoft.Devices";
  const addresses = [
    `${subscription}/operationresults/:operation`,
    `${subscription}/${devices}/operationResults/:operation`,
    `${subscription}/resourceGroups/:group/${devices}/provisioningServices/:name/operationResults/:operation`,
  ];
  for (const address of addresses) {
    app.get<Operation>(address, async (request, reply) => answerPoll(context, request, reply));
  }
}

interface Operation {
  Params: { operation: string };
}

async function answerPoll(
  context: ArmContext,
  request: FastifyRequest<Operation>,
  reply: FastifyReply,
): Promise<unknown> {
  const found = await context.operations.status(request.params.operation);
  if (found === undefined) {
    throw armError(404, "OperationNotFound", "The operation was not found.");
  }
  if (found.status === "Running") {
    reply.header("retry-after", "1");
  }
  // Azure-AsyncOperation carries "asyncinfo" and is answered with a status; Location with 202 or 200.
  if ("asyncinfo" in (request.query as object)) {
    return found;
  }
  if (found.status === "Running") {
    return reply.header("location", `${context.endpoint}${request.url}`).code(202).send();
  }
  if (found.error !== undefined) {
    throw armError(409, found.error.code, found.error.message);
  }
  return reply.code(200).send();
}

function requireSubscription(context: ArmContext, path: string): void {
  const asked = /^\/subscriptions\/([^/]+)/.exec(path)?.[1];
  if (asked !== undefined && asked !== context.subscriptionId.toLowerCase()) {
    throw armError(
      404,
      "SubscriptionNotFound",
      `The subscription '${asked}' could not be found. The sandbox has one: ${context.subscriptionId}.`,
    );
  }
}

function header(request: FastifyRequest, name: string): string {
  return [request.headers[name]].flat()[0] ?? randomUUID();
}

function errorBody(failure: Failure, context: ArmContext): HttpError {
  const { error } = failure;
  if (!(error instanceof TokenError)) {
    return armError(failure.status, statusName(failure.status), failure.message);
  }
  const [code, message] = {
    missing: [
      "AuthenticationFailed",
      "Authentication failed. The 'Authorization' header is missing.",
    ],
    expired: ["ExpiredAuthenticationToken", "The access token expiry is in the past."],
    invalid: ["InvalidAuthenticationToken", "The access token is invalid."],
  }[error.fault] as [string, string];
  const authority = `${context.authorityHost}/${context.tenantId}`;
  return new HttpError(
    401,
    { error: { code, message } },
    {
      "www-authenticate": `Bearer authorization_uri="${authority}", error="invalid_token", error_description="${message}"`,
    },
    code,
  );
}
