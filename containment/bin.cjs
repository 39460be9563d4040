#!/usr/bin/env node
/** `dps-contain`: closes what admits a stolen key, with an installed package and nothing else. */
require("tsx/cjs");
require("./main.ts");
