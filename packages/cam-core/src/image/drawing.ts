import { gunzipSync } from "node:zlib";
import { InputError } from "../errors.ts";

/**
 * Most characters of markup that a drawing may come to, once everything that is shown by reference is written out: so many at
 * least, or so many times what it has.
 */
const longestAnyway = 2e6;
const timesItself = 4;

/** No drawing's references lead on so often. */
const deepest = 500;

/**
 * Refuses an SVG of a few lines that stands for millions: groups that show groups that show groups, patterns filled with
 * patterns. The renderer gives up after half a million elements, however large each is. Throws InputError.
 */
export function checkDrawing(bytes: Uint8Array, name: string): void {
  const text = textOf(bytes, name);
  if (/<!ENTITY[^>]*</.test(text)) throw tooMuch(name, "whose entities hold markup", "Write the entities out.");
  const written = writtenOut(text);
  if (written > Math.max(longestAnyway, timesItself * text.length))
    throw tooMuch(
      name,
      `of ${text.length} characters that comes to ${written > 1e12 ? "more than 10^12" : Math.round(written)} where its references are followed`,
      "Export it without nested references, or as PNG.",
    );
}

function tooMuch(name: string, what: string, hint: string): InputError {
  return new InputError(`${name}: a drawing ${what}`, { hint });
}

/** Compressed or not: what the renderer reads. (UTF-16 it doesn't.) */
function textOf(bytes: Uint8Array, name: string): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      return textOf(gunzipSync(bytes, { maxOutputLength: 2 ** 28 }), name);
    } catch (cause) {
      throw new InputError(`${name}: damaged, or a compressed drawing of more than 256 MB`, { cause });
    }
  }
  return new TextDecoder().decode(bytes);
}

/** An element with a name: how much markup is in it, and what it shows besides. */
type Named = { length: number; readonly shows: string[] };

const tags =
  /<(?:!--[\s\S]*?-->|!\[CDATA\[[\s\S]*?\]\]>|(\/?)([A-Za-z_][\w:.-]*)((?:"[^"<]*"|'[^'<]*'|[^<>"'])*?)(\/?)>)/g;
const references = /href\s*=\s*["']\s*#([^"']*)["']|url\(\s*["']?#([^)"']*)/g;

/** Characters of markup with every reference followed. What leads back to itself isn't followed: the renderer refuses it. */
function writtenOut(text: string): number {
  const root: Named = { length: text.length, shows: [] };
  const named = new Map<string, Named>();
  const open: (Named | undefined)[] = [];
  for (const [tag, closes, , attributes, empty] of text.matchAll(tags)) {
    if (attributes === undefined) continue;
    if (closes) open.pop();
    else {
      const id = /(?:^|\s)id\s*=\s*["']([^"']*)["']/.exec(attributes)?.[1];
      const own: Named | undefined = id === undefined ? undefined : { length: 0, shows: [] };
      if (own) named.set(id!, own);
      open.push(own);
      for (const [, href, url] of attributes.matchAll(references)) {
        const shown = (href ?? url)!.trim();
        for (const holder of [root, ...open]) holder?.shows.push(shown);
      }
    }
    for (const holder of open) if (holder) holder.length += tag.length;
    if (empty && !closes) open.pop();
  }
  const known = new Map<Named, number>();
  const weigh = (one: Named, depth = 0): number => {
    const found = known.get(one);
    if (found !== undefined) return found;
    if (depth > deepest) return Number.POSITIVE_INFINITY;
    known.set(one, 0);
    const weight = one.shows.reduce(
      (sum, id) => sum + (named.has(id) ? weigh(named.get(id)!, depth + 1) : 0),
      one.length,
    );
    known.set(one, weight);
    return weight;
  };
  return weigh(root);
}
