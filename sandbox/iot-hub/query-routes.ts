/** POST /devices/query: over twins, and over the jobs of devices. */
import type { FastifyInstance } from "fastify";
import { handler, pageOf, readObject, type HubApi, type Keyed } from "./api";
import { showDeviceJob } from "./jobs-presenter";
import { showTwin } from "./presenter";
import { parseQuery, type Query } from "./query";
import { deviceKey, type Json } from "./records";

export function queryRoutes(app: FastifyInstance, api: HubApi): void {
  app.post(
    "/devices/query",
    handler(api, "query", ({ request, reply }) => {
      const query = parseQuery(readObject(request.body)["query"]);
      const found = itemsOf(api, query.source).filter(({ item }) => query.matches(item));
      reply.header("x-ms-item-type", query.itemType);
      return pageOf(request, reply, answerOf(query, found));
    }),
  );
}

function itemsOf({ registry, jobs }: HubApi, source: Query["source"]): Keyed<Json>[] {
  return source === "devices"
    ? registry.list().map((record) => ({
        key: deviceKey("", record.deviceId),
        item: showTwin(record, registry.connections.isConnected(record.deviceId)),
      }))
    : jobs.deviceJobs().map((record) => ({
        key: deviceKey(deviceKey("", record.jobId), record.deviceId),
        item: showDeviceJob(record),
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
