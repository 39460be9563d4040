/**
 * The endpoints of Microsoft Entra ID that credentials of the Azure SDKs need: OpenID discovery, the
 * key set and the token endpoint with client credentials.
 * Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
 */
import { randomUUID, timingSafeEqual } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { HttpError } from "../common/errors";
import { createApp, type Failure } from "../common/http";
import type { Sandbox, ServerIdentity } from "../common/model";
import { TOKEN_SECONDS, type TokenAuthority } from "./token-authority";

/** The token endpoint's HTTPS application; the caller makes it listen and sets `authority.host`. */
export function createTokenService(
  sandbox: Pick<Sandbox, "log" | "clock">,
  authority: TokenAuthority,
  identity: ServerIdentity,
): FastifyInstance {
  const app = createApp(sandbox, {
    service: "token",
    machineTime: true,
    instance: "",
    identity,
    clientCertificates: false,
    errorBody: (failure) => unexpected(failure),
  });

  app.get<Tenant>("/:tenant/v2.0/.well-known/openid-configuration", async (request) => {
    requireTenant(authority, request.params.tenant);
    const base = `${authority.host}/${authority.saved.tenantId}`;
    return {
      issuer: authority.issuer,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      token_endpoint_auth_methods_supported: ["client_secret_post"],
      response_types_supported: ["token"],
      subject_types_supported: ["pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["openid", "profile", "email", "offline_access"],
      tenant_region_scope: null,
    };
  });

  app.get<Tenant>("/:tenant/discovery/v2.0/keys", async (request) => {
    requireTenant(authority, request.params.tenant);
    return authority.keySet();
  });

  app.post<Tenant>("/:tenant/oauth2/v2.0/token", async (request, reply) => {
    requireTenant(authority, request.params.tenant);
    const form = new URLSearchParams(typeof request.body === "string" ? request.body : "");
    const audience = judge(authority, form);
    reply.note = `audience ${audience}`;
    return {
      token_type: "Bearer",
      expires_in: TOKEN_SECONDS,
      ext_expires_in: TOKEN_SECONDS,
      access_token: authority.issue(audience),
    };
  });
  return app;
}

interface Tenant {
  Params: { tenant: string };
}

/** Returns the audience that is asked for; throws what Entra answers otherwise. */
function judge(authority: TokenAuthority, form: URLSearchParams): string {
  const { clientId, clientSecret } = authority.saved;
  const grant = form.get("grant_type") ?? "";
  if (grant !== "client_credentials") {
    const text = `The app requested an unsupported grant type '${grant}'.`;
    throw entraError(400, "unsupported_grant_type", 70003, text);
  }
  if (form.has("client_assertion")) {
    const text = "The sandbox does not have client assertions: use a client secret.";
    throw entraError(501, "not_implemented", 0, text);
  }
  const client = form.get("client_id") ?? "";
  if (client.toLowerCase() !== clientId) {
    const text = `Application with identifier '${client}' was not found in the directory.`;
    throw entraError(400, "unauthorized_client", 700016, text);
  }
  if (!sameSecret(form.get("client_secret") ?? "", clientSecret)) {
    const text =
      "Invalid client secret provided. Ensure the secret being sent in the request is the client " +
      `secret value, not the client secret ID, for a secret added to app '${client}'.`;
    throw entraError(401, "invalid_client", 7000215, text);
  }
  // OpenID's own scopes (openid, profile, ...) name no resource.
  const scope = (form.get("scope") ?? "").split(" ").find((word) => word.includes("/"));
  if (scope === undefined) {
    const text = "The request body must contain the following parameter: 'scope'.";
    throw entraError(400, "invalid_request", 900144, text);
  }
  const audience = /^(.+)\/\.default$/.exec(scope)?.[1];
  if (audience === undefined) {
    const text =
      `The provided value for scope ${scope} is not valid. Client credential flows must have a ` +
      "scope value with /.default suffixed to the resource identifier (application ID URI).";
    throw entraError(400, "invalid_scope", 1002012, text);
  }
  return audience;
}

function requireTenant(authority: TokenAuthority, tenant: string): void {
  if (tenant.toLowerCase() !== authority.saved.tenantId) {
    throw entraError(400, "invalid_request", 90002, `Tenant '${tenant}' not found.`);
  }
}

/** Entra's error form, with the AADSTS number at the head of the description. */
function entraError(status: number, error: string, code: number, text: string): HttpError {
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace("T", " ")}Z`;
  const description =
    `AADSTS${code}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} ` +
    `Timestamp: ${timestamp}`;
  return new HttpError(
    status,
    {
      error,
      error_description: description,
      error_codes: [code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
    },
    {},
    `AADSTS${code}`,
  );
}

function unexpected(failure: Failure): HttpError {
  const error = failure.status === 501 ? "not_implemented" : "invalid_request";
  return new HttpError(
    failure.status,
    { error, error_description: failure.message },
    {},
    failure.message,
  );
}

function sameSecret(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
