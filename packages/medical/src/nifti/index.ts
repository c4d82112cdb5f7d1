/** NIfTI files: scans in, maps and scans out. */

export { readNifti } from "./read-nifti.ts";
export { writeNifti } from "./write-nifti.ts";
