/** Whether a plan is what `plan/plan.schema.json` says. */
import Ajv from "ajv";
import schema from "../../plan/plan.schema.json";

const validate = new Ajv({ allErrors: true, strict: true }).compile(schema);

export function isPlan(value: unknown): boolean {
  return validate(value);
}

/** What is not as the schema says. */
isPlan.problem = (value: unknown): string => {
  validate(value);
  return JSON.stringify(validate.errors, null, 1);
};
