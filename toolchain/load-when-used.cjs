/**
 * Preloaded into Node where Pulumi programs run. `@pulumi/pulumi` loads npm's dependency resolver as it
 * starts, in the program's process and in that of the dynamic providers, and uses it only to serialise
 * closures of a program with dependencies of its own, which no resource here does. Measured on 2 cores: a
 * preview is 0.3 s shorter without. Here it is loaded when it is first used.
 */
const Module = require("node:module");

const RESOLVER = "@npmcli/arborist";
const load = Module._load;

Module._load = function (request, ...rest) {
  if (request !== RESOLVER) return load.call(this, request, ...rest);
  return {
    __esModule: true,
    get Arborist() {
      return load.call(this, request, ...rest).Arborist;
    },
  };
};
