/** MQTT 3.1.1 by hand, for programs that speak TLS and nothing else. */

function packet(type: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? field(part) : part)));
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

/** A string with its length in front. */
function field(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** CONNECT with a user name, clean session, keep-alive 60 s. */
export function connect(clientId: string, userName: string): Buffer {
  return packet(0x10, "MQTT", Buffer.from([4, 0x82, 0, 60]), clientId, userName);
}

/** SUBSCRIBE, packet 1, QoS 1. */
export function subscribe(topic: string): Buffer {
  return packet(0x82, Buffer.from([0, 1]), topic, Buffer.from([1]));
}

/** PUBLISH, QoS 0. */
export function publish(topic: string, payload: string): Buffer {
  return packet(0x30, topic, Buffer.from(payload));
}

/** The return code of a CONNACK at the head of the bytes; undefined while it has not come. */
export function connackCode(bytes: Buffer): number | undefined {
  return bytes.length >= 4 && bytes[0] === 0x20 ? bytes[3] : undefined;
}
