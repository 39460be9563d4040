/** Pieces of HTML in which whatever is put into them is text. */
import { escaped } from "./timeline-svg";

/** A name or value. */
export function codeOf(text: string): string {
  return `<code>${escaped(text)}</code>`;
}

/** A sentence of this project's, in which names stand between backticks. */
export function sentenceOf(text: string): string {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return escaped(text);
  return parts.map((part, index) => (index % 2 === 0 ? escaped(part) : codeOf(part))).join("");
}

/** @param cells HTML */
export function tableOf(
  caption: string,
  head: string[],
  rows: string[][],
  numbers: number[] = [],
): string {
  const align = (index: number): string => (numbers.includes(index) ? ' class="number"' : "");
  const cells = (row: string[]): string =>
    row.map((cell, index) => `<td${align(index)}>${cell}</td>`).join("");
  return [
    `<div class="wide"><table><caption>${escaped(caption)}</caption>`,
    `<thead><tr>${head.map((each) => `<th scope="col">${escaped(each)}</th>`).join("")}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n")}</tbody></table></div>`,
  ].join("\n");
}

/** @param items HTML */
export function listOf(items: string[], ordered = false): string {
  if (items.length === 0) return "";
  const tag = ordered ? "ol" : "ul";
  return `<${tag}>${items.map((item) => `<li>${item}</li>`).join("\n")}</${tag}>`;
}
