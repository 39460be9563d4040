/** What a client presented in its TLS handshake. */
import type { Socket } from "node:net";
import { X509Certificate } from "node:crypto";
import { TLSSocket } from "node:tls";

/**
 * The certificates that the client presented, DER, in the order in which it did. Empty when the client
 * presented none, or the connection is not TLS. That it holds the first one's key was proved by the
 * handshake.
 */
export function peerChain(socket: Socket): Buffer[] {
  if (!(socket instanceof TLSSocket)) {
    return [];
  }
  const chain = presented.get(socket) ?? readPeerChain(socket);
  presented.set(socket, chain);
  return chain;
}

/** The first of `peerChain`. */
export function peerLeaf(socket: Socket): Buffer | undefined {
  return peerChain(socket)[0];
}

/** As OpenSSL reads it; not again what it has read in the handshake. Throws when it cannot. */
export function decoded(der: Buffer): X509Certificate {
  return fromHandshake.get(der) ?? new X509Certificate(der);
}

/**
 * A date as OpenSSL writes it: "Jan  1 00:00:00 49 GMT", which `Date` takes for 2049. Throws when OpenSSL could
 * not read it, and says so in its place.
 */
export function dateOf(text: string): Date {
  const read = new Date(text);
  read.setUTCFullYear(Number(/(\d+) GMT$/.exec(text)?.[1]));
  if (Number.isNaN(read.getTime())) throw new Error(`the certificate's validity: ${text}`);
  return read;
}

/** Node shows the chain once: asked again it has the leaf alone. Renegotiation, which could change it, is off. */
const presented = new WeakMap<TLSSocket, Buffer[]>();
const fromHandshake = new WeakMap<Buffer, X509Certificate>();

function readPeerChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined) {
    const der = next.raw;
    fromHandshake.set(der, next);
    chain.push(der);
    next = next.issuerCertificate;
  }
  return chain;
}
