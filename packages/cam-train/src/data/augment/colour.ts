import type { Rng } from "@camkit/cam-core/data";
import { z } from "zod";
import { defineAugmentation, type Pixels } from "./contract.ts";
import { lumaOf } from "./grey.ts";

const strength = z.number().min(0).default(0);

/**
 * Brightness, contrast, saturation and hue at random, in random order. A strength s means a factor from max(0, 1 - s) to
 * 1 + s; hue turns by -s to s of a full circle. As torchvision's ColorJitter of a uint8 tensor. Grey pictures have neither
 * saturation nor hue.
 */
export const colour = defineAugmentation(
  z.strictObject({
    kind: z.literal("colour"),
    brightness: strength,
    contrast: strength,
    saturation: strength,
    hue: z.number().min(0).max(0.5).default(0),
  }),
  (pixels, options, rng) =>
    rng
      .shuffle(Object.keys(adjust) as (keyof typeof adjust)[])
      .filter((name) => options[name] > 0)
      .reduce((changed, name) => adjust[name](changed, drawn(name, options[name], rng)), pixels),
);

function drawn(name: keyof typeof adjust, strength: number, rng: Rng): number {
  return name === "hue" ? rng.uniform(-strength, strength) : rng.uniform(Math.max(0, 1 - strength), 1 + strength);
}

/** Each with its factor; 1 (hue: 0) changes nothing. */
export const adjust = {
  /** factor · value */
  brightness: (pixels: Pixels, factor: number): Pixels => blendedWith(pixels, factor, 0),

  /** Away from or towards the mean luma of the picture. */
  contrast: (pixels: Pixels, factor: number): Pixels => {
    const luma = lumaOf(pixels);
    let sum = 0;
    for (let i = 0; i < luma.length; i++) sum += luma[i]!;
    return blendedWith(pixels, factor, fround(sum / luma.length));
  },

  /** Away from or towards each pixel's own luma. */
  saturation: (pixels: Pixels, factor: number): Pixels => {
    if (pixels.channels === 1) return pixels;
    const from = pixels.data;
    const luma = lumaOf(pixels);
    const [own, other] = [shares(factor), shares(1 - factor)];
    const data = new Uint8Array(from.length);
    for (let i = 0, at = 0; i < luma.length; i++, at += 3) {
      const rest = other[luma[i]!]!;
      data[at] = cut(own[from[at]!]! + rest);
      data[at + 1] = cut(own[from[at + 1]!]! + rest);
      data[at + 2] = cut(own[from[at + 2]!]! + rest);
    }
    return { ...pixels, data };
  },

  /** Hue + turn, in hexcone HSV. */
  hue: (pixels: Pixels, turn: number): Pixels => {
    const { data, channels } = pixels;
    if (channels === 1) return pixels;
    const out = new Uint8Array(data.length);
    for (let i = 0; i < data.length; i += 3)
      turnHue(data[i]! / 255, data[i + 1]! / 255, data[i + 2]! / 255, turn, out, i);
    return { ...pixels, data: out };
  },
};

const { fround } = Math;

/** factor · value + (1 - factor) · other in float32, as PyTorch has it: one result for each of 256 values. */
function blendedWith(pixels: Pixels, factor: number, other: number): Pixels {
  const rest = fround(fround(1 - factor) * other);
  const own = shares(factor);
  const results = new Uint8Array(256);
  for (let value = 0; value < 256; value++) results[value] = cut(own[value]! + rest);
  const from = pixels.data;
  const data = new Uint8Array(from.length);
  for (let i = 0; i < data.length; i++) data[i] = results[from[i]!]!;
  return { ...pixels, data };
}

/** factor · value for each value of 0..255. */
function shares(factor: number): Float32Array {
  const own = new Float32Array(256);
  for (let value = 0; value < 256; value++) own[value] = fround(factor) * value;
  return own;
}

/** A sum in float32, cut to 0..255; storing it cuts off the fraction. */
function cut(sum: number): number {
  return Math.min(255, Math.max(0, fround(sum)));
}

function turnHue(r: number, g: number, b: number, turn: number, out: Uint8Array, to: number): void {
  const most = Math.max(r, g, b);
  const chroma = most - Math.min(r, g, b);
  if (chroma === 0) return void out.fill(level(most), to, to + 3);
  const sixth = most === r ? (g - b) / chroma : most === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
  const hue = 6 * ((((sixth / 6 + turn) % 1) + 1) % 1);
  // Each channel is a trapezium around the circle: full for a third of it, none for a third, slopes between.
  const channel = (shift: number) => {
    const at = (hue + shift) % 6;
    return level(most - chroma * Math.min(1, Math.max(0, Math.min(at, 4 - at))));
  };
  out[to] = channel(5);
  out[to + 1] = channel(3);
  out[to + 2] = channel(1);
}

/** 0..1 as 0..255 in PyTorch's way (convert_image_dtype), which gives each level an equal share. */
function level(value: number): number {
  return value * 255.999;
}
