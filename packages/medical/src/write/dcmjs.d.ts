/** What this package uses of dcmjs, which brings no types. */
declare module "dcmjs" {
  type Dataset = Record<string, unknown>;
  type TagDict = Record<string, { vr: string; Value: unknown[] }>;
  const dcmjs: {
    data: {
      DicomDict: new (meta: TagDict) => { dict: TagDict; write(options?: object): ArrayBuffer };
      DicomMetaDictionary: {
        denaturalizeDataset(dataset: Dataset): TagDict;
        naturalizeDataset(dict: TagDict): Dataset;
        nameMap: Record<string, { tag: string; vr: string; vm: string; name: string }>;
      };
      DicomMessage: { readFile(buffer: ArrayBuffer, options?: object): { meta: TagDict; dict: TagDict } };
    };
    normalizers: { Normalizer: { normalizeToDataset(datasets: Dataset[]): Dataset } };
    log: { setLevel(level: string | number): void };
  };
  export default dcmjs;
}
