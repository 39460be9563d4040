/**
 * The sandbox's stand-in for Microsoft Entra ID: one tenant with one application, which gets access
 * tokens for its secret. Tokens follow the machine's clock, as the clients that cache them do.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  randomUUID,
  type KeyObject,
} from "node:crypto";
import { promisify } from "node:util";
import jwt from "jsonwebtoken";

/** Life of an access token, seconds; Entra's usual hour. */
export const TOKEN_SECONDS = 3599;

/** What is kept of an authority between runs. */
export interface SavedAuthority {
  tenantId: string;
  clientId: string;
  clientSecret: string;
  /** The application's object in the tenant. */
  objectId: string;
  /** RSA private key that signs tokens, PKCS#8 PEM. */
  signingKey: string;
}

/** A bearer token was refused. `statusCode` is what a service answers when it does not map it. */
export class TokenError extends Error {
  readonly statusCode = 401;

  constructor(
    readonly fault: "missing" | "expired" | "invalid",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "TokenError";
  }
}

export class TokenAuthority {
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;
  /** Names the key in tokens and in the key set. */
  readonly keyId: string;
  /** Base URL of the token endpoint; set when its listener is up. */
  host = "https://localhost";

  constructor(readonly saved: SavedAuthority) {
    this.privateKey = createPrivateKey(saved.signingKey);
    this.publicKey = createPublicKey(this.privateKey);
    this.keyId = saved.objectId.replaceAll("-", "").slice(0, 16);
  }

  /** A new tenant, application, secret and signing key. */
  static async create(): Promise<TokenAuthority> {
    const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
    return new TokenAuthority({
      tenantId: randomUUID(),
      clientId: randomUUID(),
      clientSecret: randomBytes(24).toString("base64url"),
      objectId: randomUUID(),
      signingKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    });
  }

  get issuer(): string {
    return `${this.host}/${this.saved.tenantId}/v2.0`;
  }

  /** A signed access token for this audience (a scope without `/.default`). */
  issue(audience: string): string {
    const { tenantId, clientId, objectId } = this.saved;
    const claims = { appid: clientId, azp: clientId, oid: objectId, tid: tenantId, ver: "2.0" };
    return jwt.sign(claims, this.privateKey, {
      algorithm: "RS256",
      keyid: this.keyId,
      audience,
      issuer: this.issuer,
      subject: objectId,
      expiresIn: TOKEN_SECONDS,
      notBefore: 0,
      jwtid: randomUUID(),
    });
  }

  /**
   * Judges an access token: signature, issuer and time. Every audience is accepted, because clients
   * derive it from the address of what they call. Throws `TokenError`.
   */
  verify(token: string): void {
    try {
      jwt.verify(token, this.publicKey, { algorithms: ["RS256"], issuer: this.issuer });
    } catch (error) {
      if (error instanceof jwt.TokenExpiredError) {
        throw new TokenError("expired", "The access token has expired.", { cause: error });
      }
      throw new TokenError("invalid", "The access token is invalid.", { cause: error });
    }
  }

  /** The public signing key as a JSON Web Key Set (RFC 7517). */
  keySet(): { keys: object[] } {
    const key = this.publicKey.export({ format: "jwk" });
    return { keys: [{ ...key, use: "sig", alg: "RS256", kid: this.keyId, issuer: this.issuer }] };
  }
}

/** The token of an `Authorization: Bearer` header. Throws `TokenError` "missing". */
export function bearerToken(header: string | undefined): string {
  const token = /^Bearer\s+(\S+)\s*$/i.exec(header ?? "")?.[1];
  if (token === undefined) {
    throw new TokenError("missing", "The 'Authorization' header holds no bearer token.");
  }
  return token;
}
