import type { Tile } from "@camkit/cam-core/page";

/** What a trade shows in the demo. A trade adds one file that makes a section, and one line in `sections.ts`. */
export type Section = {
  readonly id: string;
  readonly title: string;
  /** One sentence under the title. */
  readonly lead: string;
  /** Numbers that say it in a glance. */
  readonly tiles: readonly Tile[];
  /** Ready HTML, already escaped. */
  readonly html: string;
  /** Lines of the page's footer. */
  readonly provenance: readonly (readonly [string, string])[];
  /** What result.json holds of it. */
  readonly result: Readonly<Record<string, unknown>>;
  /** What the terminal says of it. */
  readonly text: string;
};

export type SectionMaker = (context: DemoContext) => Promise<Section>;

export type DemoContext = {
  readonly device: string;
  readonly threads?: number | undefined;
  readonly signal: AbortSignal;
  /** The demo's folder, for files that the page links to. */
  readonly out: string;
  /** Says what is being done now. */
  say(line: string): void;
};
