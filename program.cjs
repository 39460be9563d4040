/**
 * Where the engine enters: loads index.ts through tsx, which turns TypeScript into JavaScript and
 * checks no types. A file of its own, because a language host that does not know the option
 * `typescript: false` would have ts-node check all types at each preview.
 */
require("tsx/cjs");
const pulumi = require("@pulumi/pulumi");
const { askTargetTime } = require("./clients/target-time.ts");
const { TargetResource } = require("./dynamic-providers/resources.ts");

module.exports = async () => {
  const target = new pulumi.Config().get("target") ?? "sandbox";
  new TargetResource("target", { target }, {});
  // Loading the rest takes a second in which nothing is sent; the engine needs that second to start the
  // process in which the handlers run. The rules of `index.ts` judge by the time that is asked for here.
  await askTargetTime(target);
  return require("./index.ts");
};
