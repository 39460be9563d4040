/** What no MQTT client sends, or none of Azure's. */
import { connect, publish, subscribe } from "../openssl/mqtt-packets";
import type { Dice } from "./cases";

/** Topics that a device may not have, or not like that. */
const TOPICS = [
  ...["", "#", "+", "$dps/#", "$SYS/#", "\u0000", "\ud800", "/", "a".repeat(3000)],
  ...["devices/other/messages/events/", "devices/pump-1/messages/devicebound/x", "devices/pump-1/"],
  "$iothub/twin/GET",
  "$iothub/twin/PATCH/properties/desired/?$rid=1",
  "$iothub/methods/res/200",
  "$iothub/methods/res/x/?$rid=1",
  "$dps/registrations/PUT/iotdps-register",
  "$dps/registrations/PUT/iotdps-forget/?$rid=1",
];

/** Topics that a device has, and payloads that they do not take. */
const BAD_BODIES = [
  ["$dps/registrations/PUT/iotdps-register/?$rid=1", ["[[", "null", "3", "[]", '"x"', ""]],
  ["$dps/registrations/PUT/iotdps-register/?$rid=%E0%A4%A", ['{"registrationId":"other"}']],
  ["$dps/registrations/PUT/iotdps-register/?", ['{"registrationId":7}', '{"registrationId":[]}']],
  ["$dps/registrations/GET/iotdps-get-operationstatus/?", ["", " ", "{"]],
  ["$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1&operationId=%00", [""]],
  [
    "$iothub/twin/PATCH/properties/reported/?$rid=1",
    ["{", "[]", "null", "7", '{"$a":1}', '{"a.b":1}', `{"a":"${"x".repeat(40_000)}"}`],
  ],
  ["$iothub/twin/PATCH/properties/reported/?$rid=1&$version=x", ["{"]],
  ["$iothub/methods/res/200/?$rid=1", ["{", "{}"]],
  ["$iothub/methods/res/99999999999/?$rid=", ["", "[]"]],
] as const;

/** @param good a CONNECT that is right */
export function oddPackets(good: Buffer, dice: Dice): Buffer {
  return dice.of([
    () => dice.bytes(1 + dice.below(300)),
    () => good.subarray(0, 1 + dice.below(good.length - 1)),
    () => spoilt(good, dice),
    () => connect("", ""),
    () => connect("x".repeat(5000), "x"),
    () => connect("pump-1", "nowhere.azure-devices.net/pump-1/?api-version=2021-04-12"),
    () => Buffer.concat([good, good]),
    () => Buffer.concat([good, dice.bytes(1 + dice.below(300))]),
    () => Buffer.concat([good, spoilt(publish("$iothub/twin/GET/?$rid=1", ""), dice)]),
    () => Buffer.concat([good, publish(dice.of(TOPICS), "{")]),
    () => Buffer.concat([good, subscribe(dice.of(TOPICS))]),
    () => {
      const [topic, bodies] = dice.of(BAD_BODIES);
      return Buffer.concat([good, publish(topic, dice.of<string>(bodies))]);
    },
  ])();
}

function spoilt(packet: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(packet);
  for (let times = 0; times < 3; times++) copy[dice.below(copy.length)] = dice.below(256);
  return copy;
}
