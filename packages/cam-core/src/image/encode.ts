import type { Sharp } from "sharp";
import { InputError } from "../errors.ts";
import type { Picture } from "./picture.ts";

export const pictureFormats = ["png", "jpeg", "webp"] as const;
export type PictureFormat = (typeof pictureFormats)[number];

/** Anything JSON holds: model, method, layer, target, score, seed, time. */
export type Provenance = Readonly<Record<string, unknown>>;

export type EncodeOptions = {
  /** Default "png". */
  format?: PictureFormat;
  /** JPEG and WebP, 1..100. Default 92; chroma is kept at full resolution, colour scales suffer from less. */
  quality?: number;
  /** Written into the file as XMP: as JSON in `camkit:provenance`, and `software` (if a string) as `xmp:CreatorTool`. */
  provenance?: Provenance;
};

const namespace = "urn:camkit:provenance:1#";

/** A JPEG holds XMP in one segment of 64 KiB, of which its own header takes some. */
const maxJpegXmp = 65_000;

const encoders: Readonly<Record<PictureFormat, (pipeline: Sharp, quality: number) => Sharp>> = {
  png: (pipeline) => pipeline.png({ compressionLevel: 8 }),
  jpeg: (pipeline, quality) => pipeline.jpeg({ quality, chromaSubsampling: "4:4:4" }),
  webp: (pipeline, quality) => pipeline.webp({ quality }),
};

/**
 * A picture as the bytes of a file, with its provenance inside. The same picture and provenance give the same bytes.
 * Throws InputError when the provenance doesn't fit a JPEG.
 */
export async function encodePicture(picture: Picture, options: EncodeOptions = {}): Promise<Uint8Array> {
  const { format = "png", quality = 92, provenance } = options;
  const { width, height, rgb } = picture;
  const { default: sharp } = await import("sharp"); // see decodePicture
  const pipeline = sharp(rgb, { raw: { width, height, channels: 3 } });
  if (provenance !== undefined) {
    const xmp = xmpPacket(provenance);
    const size = Buffer.byteLength(xmp);
    if (format === "jpeg" && size > maxJpegXmp)
      throw new InputError(`the provenance takes ${size} bytes; a JPEG has room for ${maxJpegXmp}`, {
        hint: "Write a PNG, or leave the longest entries to result.json.",
      });
    pipeline.withXmp(xmp);
  }
  const file = await encoders[format](pipeline, quality).toBuffer();
  return new Uint8Array(file.buffer, file.byteOffset, file.length);
}

/** The provenance in a picture that `encodePicture` wrote; undefined when it has none. */
export async function readProvenance(file: Uint8Array): Promise<Provenance | undefined> {
  const { default: sharp } = await import("sharp");
  const { xmp } = await sharp(file).metadata();
  const json = xmp && /<camkit:provenance>([\s\S]*?)<\/camkit:provenance>/.exec(xmp.toString("utf8"))?.[1];
  return json ? (JSON.parse(unescapeXml(json)) as Provenance) : undefined;
}

function xmpPacket(provenance: Provenance): string {
  const { software } = provenance;
  const tool = typeof software === "string" ? `<xmp:CreatorTool>${escapeXml(software)}</xmp:CreatorTool>` : "";
  const json = escapeXml(JSON.stringify(provenance, (_, value) => (typeof value === "bigint" ? String(value) : value)));
  return [
    `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>`,
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`,
    `<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:camkit="${namespace}">`,
    `${tool}<camkit:provenance>${json}</camkit:provenance>`,
    `</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>`,
  ].join("");
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (char) => entities[char] as string);
}

function unescapeXml(text: string): string {
  return text.replace(
    /&(lt|gt|amp);/g,
    (entity) => Object.keys(entities).find((char) => entities[char] === entity) as string,
  );
}
