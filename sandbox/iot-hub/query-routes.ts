/** POST /devices/query: over twins, and over the jobs of devices. */
import type { FastifyInstance } from "fastify";
import { handler, pageOf, readContinuation, readObject, type HubApi, type Keyed } from "./api";
import { showDeviceJob } from "./jobs-presenter";
import { showTwin } from "./presenter";
import { parseQuery, type Query } from "./query";
import { deviceKey, type Json } from "./records";

export function queryRoutes(app: FastifyInstance, api: HubApi): void {
  app.post(
    "/devices/query",
    handler(api, "query", ({ request, reply }) => {
      const query = parseQuery(readObject(request.body)["query"]);
      reply.header("x-ms-item-type", query.itemType);
      const { aggregate, top } = query;
      if (aggregate === undefined && top === undefined) {
        return pageOf(request, reply, rowsOf(api, query, readContinuation(request)));
      }
      return pageOf(request, reply, answerOf(query, [...matching(api, query)]));
    }),
  );
}

/** @param after key from which on they are made */
function* matching(api: HubApi, query: Query, after?: string): Generator<Keyed<Json>> {
  for (const { key, make } of itemsOf(api, query.source)) {
    if (after !== undefined && key <= after) continue;
    const item = make();
    if (query.matches(item)) yield { key, item };
  }
}

function* rowsOf(api: HubApi, query: Query, after: string | undefined): Generator<Keyed<Json>> {
  for (const { key, item } of matching(api, query, after)) yield { key, item: query.project(item) };
}

function itemsOf(
  { registry, jobs }: HubApi,
  source: Query["source"],
): { key: string; make: () => Json }[] {
  return source === "devices"
    ? registry.list().map((record) => ({
        key: deviceKey("", record.deviceId),
        make: () => showTwin(record, registry.connections.isConnected(record.deviceId)),
      }))
    : jobs.deviceJobs().map((record) => ({
        key: deviceKey(deviceKey("", record.jobId), record.deviceId),
        make: () => showDeviceJob(record),
      }));
}

function answerOf(query: Query, found: Keyed<Json>[]): Keyed<Json>[] {
  const { aggregate, top } = query;
  if (aggregate === undefined) {
    return found.slice(0, top).map(({ key, item }) => ({ key, item: query.project(item) }));
  }
  return aggregate(found.map(({ item }) => item))
    .slice(0, top)
    .map((item, index) => ({ key: String(index).padStart(8, "0"), item }));
}
