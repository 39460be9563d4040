#!/usr/bin/env node
/** `dps-plan`: the plan of a change, of any stack that is made with this package. */
require("tsx/cjs");
require("./main.ts");
