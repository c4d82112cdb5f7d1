import type { Picture } from "./picture.ts";

/**
 * A picture for tests that Python makes as easily: byte i is (7 i² + 37 i + 11) mod 251.
 *
 *   i = np.arange(w * h * c); ((i * i * 7 + i * 37 + 11) % 251).astype(np.uint8).reshape(h, w, c)
 */
export function testPicture(width: number, height: number, channels = 3): Picture {
  const rgb = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * i * 7 + i * 37 + 11) % 251);
  return { width, height, rgb };
}
