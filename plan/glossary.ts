/** The words of a plan for somebody who has never seen DPS, Pulumi or this project. */

/** A word, what it means, and how it is found in a plan. */
const GLOSSARY: readonly [string, string, RegExp][] = [
  [
    "DPS",
    "Azure's Device Provisioning Service: a device shows it its certificate, and is told which IoT hub it belongs to.",
    /DPS/,
  ],
  [
    "registration",
    "a device's visit to DPS, and the record that DPS keeps of it. It happens at first start, and whenever its hub refuses the device. Between two registrations DPS has no say.",
    /regist(er|ration)/i,
  ],
  [
    "individual enrollment",
    "an entry that lets in one device, by its own certificate.",
    /individual enrollment/i,
  ],
  [
    "enrollment group",
    "an entry that lets in every device whose certificate was issued below a CA certificate (a root, or an intermediate).",
    /enrollment group/i,
  ],
  [
    "slot",
    "each entry has two, primary and secondary: either certificate is accepted. That is how one is replaced without a gap.",
    /\bslots?\b/i,
  ],
  [
    "hub identity",
    "what an IoT hub knows of a device, with the certificate that it registered with last. Removing it ends the device's connection.",
    /hub identit/i,
  ],
  ["queued messages", "messages to a device that it has not fetched yet.", /queued messages/i],
  [
    "tags, desired properties, reported properties",
    "what the hub keeps about a device: written by its operators (tags, desired), or by the device itself (reported).",
    /reported properties/i,
  ],
  [
    "verified",
    "somebody has proven to DPS that they hold the key of the CA certificate. `up` does that, with the key, the command or the certificate that the configuration names.",
    /verified/i,
  ],
  ["on record", "DPS remembers that the device has registered under this entry.", /on record/i],
  [
    "not known",
    "neither DPS nor the hub tells which CA issued a device's certificate; it is known when the device reports it, or a manifest of issued leaves says it.",
    /not known|no evidence|without evidence/i,
  ],
  ["leaf", "a device's own certificate.", /\blea(f|ves)\b/i],
  [
    "manifest of issued leaves",
    "a list, kept by whoever issues certificates, of which leaf was issued by which CA. It proves which devices a breach does not reach.",
    /manifest of issued leaves/i,
  ],
  [
    "roll",
    "one certificate takes another's place. An expiration roll has an overlap in which both are accepted (prepare, retire); a breach roll has none (contain, replace, remove).",
    /\broll\b/i,
  ],
  [
    "contain",
    "close every entry that admits a compromised certificate, before anything else.",
    /contain/i,
  ],
  [
    "cut-off",
    "the moment from which nothing admits the compromised certificate any more. Devices that registered before that moment are removed, unless they are proven good.",
    /cut-off/i,
  ],
  [
    "waiver",
    "a fault that is accepted for a time: it is written in the configuration, with a reason and a date.",
    /waive(r|d)/i,
  ],
  [
    "Edge device",
    "a device (IoT Edge) that other devices can stand below; it registers again only when its runtime is set to.",
    /Edge/,
  ],
  [
    "Pulumi, stack",
    "Pulumi is the tool that carries this out (`pulumi up`); a stack is one installation that it keeps, such as dev or production.",
    /Pulumi|\bstack\b/,
  ],
];

/** The words that a text uses. */
export function glossaryFor(text: string): (readonly [word: string, meaning: string])[] {
  return GLOSSARY.flatMap(([word, meaning, found]) =>
    found.test(text) ? [[word, meaning] as const] : [],
  );
}
