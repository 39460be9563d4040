#!/usr/bin/env node
/** `dps-sandbox`: the sandbox of an installed package. */
require("tsx/cjs");
require("./main.ts");
