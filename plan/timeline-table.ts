/** What the picture of a timeline shows, as an HTML table: for screen readers, and for whoever copies. */
import { type Timeline, timelineLines } from "./timeline";
import { escaped } from "./timeline-svg";

/** One `<table>`, without styles; `scope` and `caption` make it navigable. */
export function timelineTable(timeline: Timeline): string {
  let entry = "";
  const rows = timelineLines(timeline).flatMap((line) => {
    if (line.kind === "entry") {
      entry = line.words;
      return line.note === "" ? [] : [row([entry, "", line.note])];
    }
    return [row([entry, line.words, line.note])];
  });
  return [
    "<table>",
    `<caption>Certificates over time, as of ${escaped(timeline.now.slice(0, 10))}</caption>`,
    '<thead><tr><th scope="col">Entry</th><th scope="col">What</th><th scope="col">When</th></tr></thead>',
    "<tbody>",
    ...rows,
    "</tbody>",
    "</table>",
  ].join("\n");
}

function row([entry, ...cells]: [string, ...string[]]): string {
  const others = cells.map((cell) => `<td>${escaped(cell)}</td>`).join("");
  return `<tr><th scope="row">${escaped(entry)}</th>${others}</tr>`;
}
