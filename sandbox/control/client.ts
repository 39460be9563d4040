/** Talks to the control port of the sandbox that runs in a folder. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { invocation } from "../cli/options";
import { readJson, type EndpointsFile } from "../endpoints";
import type { EnvironmentFile } from "../environment";
import { isAlive, SandboxError, type SandboxFolder } from "../folder";
import type { ControlAddress } from "./server";

/** The files of a sandbox that runs. */
export interface RunningFiles {
  endpoints: EndpointsFile;
  environment: EnvironmentFile;
}

/** Undefined when no sandbox runs in the folder. */
export function runningIn(folder: SandboxFolder): RunningFiles | undefined {
  const endpoints = readJson<EndpointsFile>(folder.endpointsFile);
  const environment = readJson<EnvironmentFile>(folder.environmentFile);
  return endpoints === undefined || environment === undefined || !isAlive(endpoints.pid)
    ? undefined
    : { endpoints, environment };
}

/** As `runningIn`, but throws `SandboxError` with what to do. */
export function mustRunIn(folder: SandboxFolder): RunningFiles {
  const running = runningIn(folder);
  if (running === undefined) {
    throw new SandboxError(
      `No sandbox runs in ${folder.path}: start one with "${invocation()}" in another terminal.`,
    );
  }
  return running;
}

/** One request; the answer's JSON. Throws `SandboxError` with the sandbox's own words when it refuses. */
export async function control<T>(
  { endpoints, environment }: RunningFiles,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const { url, token }: ControlAddress = environment.control;
  const ca = readFileSync(endpoints.caFile, "utf8");
  const { status, text } = await new Promise<{ status: number; text: string }>(
    (resolve, reject) => {
      const call = request(
        `${url}${path}`,
        {
          method,
          ca,
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        },
        (response) => {
          let received = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (received += chunk));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text: received }));
          response.on("error", reject);
        },
      );
      call.on("error", reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    },
  );
  const answer = (text === "" ? {} : JSON.parse(text)) as T & { error?: { message: string } };
  if (status >= 400) {
    throw new SandboxError(answer.error?.message ?? `The sandbox answered ${status}.`);
  }
  return answer;
}
