import { FileError, ManifestError } from "../errors.ts";
import { type Manifest, parseManifest } from "../model/manifest.ts";
import { type Model, openModel } from "../model/model.ts";
import { sourceOf } from "../model/source.ts";

/** Bytes as a page has them: in memory, a file that somebody chose, the answer to a `fetch`. */
export type Received = ArrayBuffer | ArrayBufferView | Blob | Response;

export type ReceiveOptions = {
  /** What messages and results call the model. Default: the end of the response's address, or the file's name. */
  readonly name?: string;
  /** The manifest, or the file it lies in. */
  readonly manifest?: Manifest | Received | undefined;
  /** The external data files, each under the name that the model uses. */
  readonly externalData?: Readonly<Record<string, Received>>;
};

/**
 * A model from bytes that came over the net or from the user's disk. All of it is in memory once, where weights stay. Throws
 * FileError for an answer that isn't the file, NotOnnxError, UnsupportedModelError, ManifestError.
 */
export async function receiveModel(from: Received, options: ReceiveOptions = {}): Promise<Model> {
  const name = options.name ?? nameOf(from, "model.onnx");
  const data = new Map<string, Uint8Array>();
  for (const [location, received] of Object.entries(options.externalData ?? {}))
    data.set(location, await bytesOf(received, location));
  const manifest = await manifestOf(options.manifest);
  return openModel(await bytesOf(from, name), {
    name,
    manifest,
    externalData: (location) => {
      const bytes = data.get(location);
      if (bytes === undefined)
        throw new FileError(location, "the model's external data was not given", {
          hint: `Fetch it too: { externalData: { "${location}": await fetch(…) } }.`,
        });
      return sourceOf(bytes);
    },
  });
}

async function manifestOf(given: Manifest | Received | undefined): Promise<Manifest | undefined> {
  if (given === undefined || !isReceived(given)) return given;
  const name = nameOf(given, "the manifest");
  const text = new TextDecoder().decode(await bytesOf(given, name));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ManifestError(name, `not JSON: ${(cause as Error).message}`, { cause });
  }
  return parseManifest(json, name);
}

function isReceived(given: object): given is Received {
  return (
    given instanceof ArrayBuffer || ArrayBuffer.isView(given) || given instanceof Blob || given instanceof Response
  );
}

async function bytesOf(received: Received, name: string): Promise<Uint8Array> {
  if (ArrayBuffer.isView(received)) return new Uint8Array(received.buffer, received.byteOffset, received.byteLength);
  if (received instanceof ArrayBuffer) return new Uint8Array(received);
  if (received instanceof Response && !received.ok)
    throw new FileError(name, `the server answered ${received.status} ${received.statusText}`.trimEnd());
  try {
    return new Uint8Array(await received.arrayBuffer());
  } catch (cause) {
    throw new FileError(name, `it can't be read: ${(cause as Error).message}`, { cause });
  }
}

function nameOf(received: Received, otherwise: string): string {
  if (received instanceof Response && received.url !== "") return new URL(received.url).pathname.replace(/^.*\//, "");
  return received instanceof Blob && "name" in received ? String(received.name) : otherwise;
}
