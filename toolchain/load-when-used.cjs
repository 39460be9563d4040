/**
 * Preloaded into Node where Pulumi programs run. `@pulumi/pulumi` loads npm's dependency resolver as it
 * starts, in the program's process and in that of the dynamic providers, and uses it only to serialise
 * closures of a program with dependencies of its own, which no resource here does. Measured on 2 cores: a
 * preview is 0.3 s shorter without. Here it is loaded when it is first used.
 */
const Module = require("node:module");

const RESOLVER = "@npmcli/arborist";
const load = Module._load;

/** Only for that one file: npm itself, run by a command that has this preloaded, loads it as it is. */
const USER = /[\\/]@pulumi[\\/]pulumi[\\/]runtime[\\/]closure[\\/]codePaths\.js$/;

Module._load = function (request, parent, ...rest) {
  if (request !== RESOLVER || !USER.test(parent?.filename ?? "")) {
    return load.call(this, request, parent, ...rest);
  }
  return {
    __esModule: true,
    get Arborist() {
      return load.call(this, request, parent, ...rest).Arborist;
    },
  };
};
