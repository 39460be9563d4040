#!/usr/bin/env node
/** `dps-state-copy`: a state without its secrets, of any stack that is made with this package. */
require("tsx/cjs");
require("./main.ts");
