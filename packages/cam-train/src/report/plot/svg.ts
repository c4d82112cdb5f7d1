import { decodePicture, encodePicture, type Provenance, textPath } from "@camkit/cam-core";

/** The pictures' colours on white. The first three keep apart for colour-blind eyes and in grey print. */
export const ink = {
  text: "#1a1c21",
  soft: "#60646f",
  axis: "#8d919b",
  grid: "#e9e7e2",
  training: "#2b6cb0",
  validation: "#d9480f",
  metric: "#18794e",
  rate: "#6d5bae",
  ideal: "#9aa0ac",
  bar: "#8fb5da",
  gap: "#f3b39a",
  empty: "#f6f5f2",
};

/** A drawing as a file: `<svg>` with its size, a white ground and a title for who can't see it. */
export type Drawing = { readonly svg: string; readonly width: number; readonly height: number };

export function drawing(width: number, height: number, label: string, parts: readonly string[]): Drawing {
  const title = label.replace(/[&<>]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[char]!);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"><title>${title}</title><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>`;
  return { svg, width, height };
}

/** The same drawing as the bytes of a PNG. */
export async function png({ svg }: Drawing, provenance?: Provenance): Promise<Uint8Array> {
  const picture = await decodePicture(new TextEncoder().encode(svg), "drawing");
  return encodePicture(picture, provenance === undefined ? {} : { provenance });
}

/** The title and the line under it, at the upper left. */
export function heading(title: string, detail: string | undefined, x: number): string {
  return (
    textPath(title, { x, y: 36, size: 20, weight: 600, fill: ink.text }) +
    (detail ? textPath(detail, { x, y: 60, size: 14, fill: ink.soft }) : "")
  );
}

/** Two digits after the point are a hundredth of a pixel. */
export const round = (value: number): number => Math.round(value * 100) / 100;

export function segment(x1: number, y1: number, x2: number, y2: number, color: string, width = 1, dash = ""): string {
  const line = `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="${color}" stroke-width="${width}"`;
  return `${line}${dash ? ` stroke-dasharray="${dash}"` : ""}/>`;
}

export function rect(x: number, y: number, width: number, height: number, color: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${color}"/>`;
}

export type Point = readonly [x: number, y: number];

/** A line through points in pixels. */
export function polyline(points: readonly Point[], color: string, width: number, opacity = 1): string {
  if (points.length < 2) return "";
  const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join("");
  return `<path d="${d}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round" stroke-linecap="round"${opacity < 1 ? ` stroke-opacity="${opacity}"` : ""}/>`;
}

export function dot([x, y]: Point, radius: number, color: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${color}" stroke="#fff" stroke-width="1.5"/>`;
}
