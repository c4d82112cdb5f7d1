import { ctSection } from "./ct.ts";
import { scenesSection } from "./scenes.ts";
import type { SectionMaker } from "./section.ts";

/** What the demo runs, in the page's order. */
export const sections: readonly SectionMaker[] = [ctSection, scenesSection];
