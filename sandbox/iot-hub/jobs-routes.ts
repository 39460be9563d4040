/**
 * The jobs API, version 2.
 * Source: learn.microsoft.com/rest/api/iothub/service/jobs.
 */
import type { FastifyInstance } from "fastify";
import { handler, pageOf, readObject, type HubApi } from "./api";
import { readJob } from "./jobs-body";
import { showJob } from "./jobs-presenter";
import type { JobRecord } from "./jobs-records";
import { deviceKey, type Json } from "./records";

export function jobsRoutes(app: FastifyInstance, api: HubApi): void {
  const { jobs, sandbox } = api;
  const show = (job: JobRecord): Json => showJob(job, jobs.deviceJobs(job.jobId));

  app.get(
    "/jobs/v2/query",
    handler(api, "job", ({ query, request, reply }) => {
      const wanted = (job: JobRecord): boolean =>
        same(query["jobType"], job.type) && same(query["jobStatus"], job.status);
      reply.header("x-ms-item-type", "JobResponse");
      const all = jobs.list().filter(wanted);
      const keyed = all.map((job) => ({ key: deviceKey("", job.jobId), item: job }));
      return pageOf(request, reply, keyed).map(show);
    }),
  );
  app.get(
    "/jobs/v2/:id",
    handler(api, "job", ({ id, reply }) => {
      const job = jobs.get(id);
      if (job === undefined) {
        // As a public client of others notes for the real service; a cancellation answers 404.
        reply.note = "there is no such job";
        return { jobId: id, type: "unknown", status: "unknown" };
      }
      return show(job);
    }),
  );
  app.put(
    "/jobs/v2/:id",
    handler(api, "job", ({ id, request }) => {
      const body = readObject(request.body);
      if (/^\s*from\b/i.test(String(body["queryCondition"]))) {
        throw api.notWritten("PUT /jobs/v2 over modules");
      }
      const job = readJob(id, body, { now: sandbox.clock.now(), switches: sandbox.switches });
      // As that client notes: the first answer says queued.
      return { ...show(jobs.schedule(job)), status: "queued" };
    }),
  );
  app.post(
    "/jobs/v2/:id/cancel",
    handler(api, "job", ({ id }) => show(jobs.cancel(id))),
  );
}

function same(wanted: unknown, value: string): boolean {
  return typeof wanted !== "string" || wanted.toLowerCase() === value.toLowerCase();
}
