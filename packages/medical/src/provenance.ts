/** How a result came about: what every file that is written says of itself. */
export type Provenance = {
  readonly camkitVersion: string;
  readonly model: {
    readonly name: string;
    readonly version?: string;
    readonly sha256: string;
    /** What it can't do, from its manifest, the gravest first. */
    readonly limits?: readonly string[];
  };
  readonly method: string;
  readonly layers: readonly string[];
  /** What was explained: a class by its label. */
  readonly target: string;
  /** Of the target, before softmax or sigmoid. */
  readonly score: number;
  readonly probability?: number;
  /** In words: window, mask, slices, sizes. */
  readonly preprocessing: string;
  readonly provider: string;
  readonly seed?: number;
  readonly time: Date;
};
