/**
 * Where the engine enters: loads index.ts through tsx, which turns TypeScript into JavaScript and
 * checks no types. A file of its own, because a language host that does not know the option
 * `typescript: false` would have ts-node check all types at each preview.
 */
require("tsx/cjs");
module.exports = require("./index.ts");
