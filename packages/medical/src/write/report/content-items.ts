import { type Code, code } from "../codes.ts";
import { withoutUndefined } from "../common.ts";
import { decimal } from "../ct-series.ts";
import type { Dataset } from "../part10.ts";
import { longText } from "../text.ts";

/** Content items of structured reports, by value type: PS3.3, C.17.3. */

export type Relationship = "CONTAINS" | "HAS CONCEPT MOD" | "HAS OBS CONTEXT" | "HAS ACQ CONTEXT";

const item = (relationship: Relationship, type: string, name: Code | undefined, rest: Dataset): Dataset =>
  withoutUndefined({
    RelationshipType: relationship,
    ValueType: type,
    ConceptNameCodeSequence: name && [name],
    ...rest,
  });
const children = (items: readonly Dataset[]) => (items.length === 0 ? {} : { ContentSequence: items });

/** A heading with what it holds; `template` is its number in PS3.16. */
export const container = (name: Code, items: readonly Dataset[], template?: string): Dataset =>
  item("CONTAINS", "CONTAINER", name, {
    ContinuityOfContent: "SEPARATE",
    ...(template === undefined ? {} : { ContentTemplateSequence: [dicomTemplate(template)] }),
    ...children(items),
  });

export const dicomTemplate = (identifier: string): Dataset => ({
  MappingResource: "DCMR",
  TemplateIdentifier: identifier,
});

export const coded = (relationship: Relationship, name: Code, value: Code, items: readonly Dataset[] = []): Dataset =>
  item(relationship, "CODE", name, { ConceptCodeSequence: [value], ...children(items) });

export const textItem = (relationship: Relationship, name: Code, value: string): Dataset =>
  item(relationship, "TEXT", name, { TextValue: longText(value) });

export const uidReference = (relationship: Relationship, name: Code, uid: string): Dataset =>
  item(relationship, "UIDREF", name, { UID: uid });

export const numeric = (name: Code, value: number, unit: Code, items: readonly Dataset[] = []): Dataset =>
  item("CONTAINS", "NUM", name, {
    MeasuredValueSequence: [{ NumericValue: decimal(value), MeasurementUnitsCodeSequence: [unit] }],
    ...children(items),
  });

/** `reference` as `instanceReference` makes it, a segment's number beside it where it is one. */
export const image = (name: Code | undefined, reference: Dataset): Dataset =>
  item("CONTAINS", "IMAGE", name, { ReferencedSOPSequence: [reference] });

export const language = code("en-US", "RFC5646", "English (United States)");
