#!/usr/bin/env node
/** `dps-status`: the status of an installed package. */
require("tsx/cjs");
require("./main.ts");
