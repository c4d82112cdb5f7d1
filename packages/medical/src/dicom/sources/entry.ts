import type { ByteStore } from "../instance.ts";

/** A file, or what stands for one: its name for messages, and where its bytes are. */
export type Entry = { readonly name: string; readonly store: ByteStore };

/** What isn't used, and why. Nothing is left out in silence. */
export type SetAside = { readonly name: string; readonly reason: string };

/** What a source yields: files in no particular order, and what it passed over. */
export type Found = Entry | SetAside;

export const isEntry = (found: Found): found is Entry => "store" in found;
