import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Which folders a folder must not import from; the order of layers is explained in docs/decisions. */
const forbidden = (files, patterns) => ({
  files,
  rules: {
    "no-restricted-imports": [
      "error",
      { patterns: patterns.map(([group, message]) => ({ group: [group], message })) },
    ],
  },
});

const notFromProduct = [
  ["**/sandbox/**", "product code never depends on the sandbox"],
  ["**/device/**", "product code never depends on the reference device"],
  ["**/rehearsal/**", "product code never depends on the rehearsal"],
];
const azureOnlyInClients = [
  ["azure-iot*", "only clients/ talks to Azure SDKs"],
  ["@azure/*", "only clients/ talks to Azure SDKs"],
];

export default tseslint.config(
  { ignores: ["node_modules/", ".sandbox/", "toolchain/go/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["describe", "it"] },
          ],
        },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // A provider method must return a promise whether or not it waits for one.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      eqeqeq: "error",
    },
  },
  {
    files: ["**/*.mjs", "**/*.cjs"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        setTimeout: "readonly",
        clearTimeout: "readonly",
        require: "readonly",
        module: "writable",
        URL: "readonly",
        Buffer: "readonly",
        __dirname: "readonly",
      },
    },
  },
  forbidden(
    ["certificates/**/*.ts"],
    [
      ...notFromProduct,
      ...azureOnlyInClients,
      ["@pulumi/*", "certificates/ is pure: no Pulumi"],
      ["**/clients/**", "certificates/ is pure: no Azure"],
      ["**/components/**", "imports run index -> components -> dynamic-providers -> clients"],
      [
        "**/dynamic-providers/**",
        "imports run index -> components -> dynamic-providers -> clients",
      ],
    ],
  ),
  forbidden(
    ["clients/**/*.ts"],
    [
      ...notFromProduct,
      ["**/components/**", "imports run index -> components -> dynamic-providers -> clients"],
      [
        "**/dynamic-providers/**",
        "imports run index -> components -> dynamic-providers -> clients",
      ],
    ],
  ),
  forbidden(
    ["dynamic-providers/**/*.ts"],
    [
      ...notFromProduct,
      ...azureOnlyInClients,
      ["**/components/**", "imports run index -> components -> dynamic-providers -> clients"],
    ],
  ),
  forbidden(
    [
      "index.ts",
      "components/**/*.ts",
      "configuration/**/*.ts",
      "containment/**/*.ts",
      "plan/**/*.ts",
      "gitops/**/*.ts",
      "status/**/*.ts",
    ],
    [...notFromProduct, ...azureOnlyInClients],
  ),
  forbidden(
    ["sandbox/**/*.ts"],
    [["**/certificates/**", "one parsing mistake must not agree with itself"]],
  ),
);
