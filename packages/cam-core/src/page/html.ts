import { type ColormapName, colormap } from "../image/colormap.ts";

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char]!);
}

/** A picture inside the page itself. */
export function dataUri(bytes: Uint8Array, type: "webp" | "png"): string {
  return `data:image/${type};base64,${Buffer.from(bytes).toString("base64")}`;
}

/** The colour scale with its two ends named. */
export function colorBar(name: ColormapName): string {
  const { table } = colormap(name);
  const stops = Array.from({ length: 17 }, (_, i) => {
    const at = Math.min(255, i * 16) * 3;
    return `rgb(${table[at]},${table[at + 1]},${table[at + 2]})`;
  });
  return `<span class="bar"><span>0</span><i style="background:linear-gradient(90deg,${stops.join(",")})"></i><span>1</span></span>`;
}

/**
 * The outline of a mask [height, width] as an SVG path along pixel edges: each edge between inside and outside once, runs of
 * edges joined.
 */
export function outlinePath(mask: Uint8Array, width: number, height: number): string {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
  const parts: string[] = [];
  const runs = (
    lines: number,
    length: number,
    isEdge: (line: number, at: number) => boolean,
    draw: (line: number, from: number, to: number) => string,
  ) => {
    for (let line = 0; line <= lines; line++)
      for (let at = 0; at < length; at++) {
        if (!isEdge(line, at)) continue;
        const from = at;
        while (at < length && isEdge(line, at)) at++;
        parts.push(draw(line, from, at));
      }
  };
  runs(
    height,
    width,
    (y, x) => inside(x, y - 1) !== inside(x, y),
    (y, from, to) => `M${from} ${y}h${to - from}`,
  );
  runs(
    width,
    height,
    (x, y) => inside(x - 1, y) !== inside(x, y),
    (x, from, to) => `M${x} ${from}v${to - from}`,
  );
  return parts.join("");
}
