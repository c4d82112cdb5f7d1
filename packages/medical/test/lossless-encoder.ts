/**
 * A lossless JPEG encoder for what others don't write: restart markers, any precision, differences of 16 bits, point transforms.
 * All categories have a code of five bits: ITU-T T.81, annex H, in its plainest form.
 */
export type LosslessOptions = {
  readonly rows: number;
  readonly columns: number;
  readonly components?: number;
  readonly precision: number;
  readonly predictor: number;
  readonly pointTransform?: number;
  /** Rows between restart markers. */
  readonly restartRows?: number;
};

/** Samples pixel by pixel. */
export function encodeLossless(samples: ArrayLike<number>, options: LosslessOptions): Uint8Array {
  const { rows, columns, components = 1, precision, predictor, pointTransform = 0, restartRows = 0 } = options;
  const scan: number[] = [];
  let bits = "";
  const flush = () => {
    while (bits.length % 8 !== 0) bits += "1";
    for (const byte of bits.match(/.{8}/g) ?? []) {
      scan.push(Number.parseInt(byte, 2));
      if (scan.at(-1) === 0xff) scan.push(0);
    }
    bits = "";
  };
  const at = (y: number, x: number, c: number) => samples[(y * columns + x) * components + c]! >> pointTransform;
  for (let y = 0; y < rows; y++) {
    const first = y === 0 || (restartRows > 0 && y % restartRows === 0);
    if (first && y > 0) {
      flush();
      scan.push(0xff, 0xd0 + ((y / restartRows - 1) % 8));
    }
    for (let x = 0; x < columns; x++)
      for (let c = 0; c < components; c++) {
        const [a, b, d] = [
          x > 0 ? at(y, x - 1, c) : 0,
          y > 0 ? at(y - 1, x, c) : 0,
          x > 0 && y > 0 ? at(y - 1, x - 1, c) : 0,
        ];
        let predicted = [0, a, b, d, a + b - d, a + ((b - d) >> 1), b + ((a - d) >> 1), (a + b) >> 1][predictor]!;
        if (x === 0) predicted = first ? 1 << (precision - pointTransform - 1) : b;
        else if (first) predicted = a;
        // Modulo 2^16, as a number with its sign; 32768 has no other.
        let difference = (at(y, x, c) - predicted) & 0xffff;
        if (difference > 32768) difference -= 65536;
        const category = difference === 0 ? 0 : 32 - Math.clz32(Math.abs(difference));
        bits += category.toString(2).padStart(5, "0");
        if (category > 0 && category < 16)
          bits += (difference < 0 ? difference + (1 << category) - 1 : difference).toString(2).padStart(category, "0");
      }
  }
  flush();
  const ids = Array.from({ length: components }, (_, c) => c + 1);
  const word = (value: number) => [value >> 8, value & 255];
  const segment = (marker: number, body: readonly number[]) => [0xff, marker, ...word(body.length + 2), ...body];
  return Uint8Array.from([
    0xff,
    0xd8,
    ...segment(0xc4, [0, ...Array.from({ length: 16 }, (_, i) => (i === 4 ? 17 : 0)), ...Array(17).keys()]),
    ...segment(0xc3, [precision, ...word(rows), ...word(columns), components, ...ids.flatMap((id) => [id, 0x11, 0])]),
    ...(restartRows > 0 ? segment(0xdd, word(restartRows * columns)) : []),
    ...segment(0xda, [components, ...ids.flatMap((id) => [id, 0]), predictor, 0, pointTransform]),
    ...scan,
    0xff,
    0xd9,
  ]);
}
