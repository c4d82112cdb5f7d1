/**
 * What runs in the report: the slice browser. Text, not a function: it is of the browser's world, whose types this package doesn't
 * have. It reads the JSON that `viewerHtml` writes, decodes the pictures (the map, then the slices nearest the current one) and draws three
 * planes on a canvas. Nothing is fetched.
 */
export const viewerScript = `
(() => {
  const root = document.getElementById("viewer");
  if (!root) return;
  const data = JSON.parse(document.getElementById("viewer-data").textContent);
  const [D, H, W] = data.shape, [mapH, mapW] = data.mapShape;
  const grey = new Uint8Array(D * H * W), map = new Uint8Array(D * mapH * mapW), loaded = new Uint8Array(D);
  const $ = (name) => root.querySelector("[data-" + name + "]");
  const canvas = $("canvas"), pen = canvas.getContext("2d");
  const views = Object.keys(data.views), isScan = views.length > 1;
  const state = { view: views[0], index: { ...data.start }, window: Object.keys(data.windows)[0], opacity: 0.6, threshold: 0, colors: true, timer: 0 };
  const strides = [H * W, W, 1], sizes = [D, H, W], mapSizes = [D, mapH, mapW], mapStrides = [mapH * mapW, mapW, 1];
  const colors = Uint8Array.from(atob(data.colors), (c) => c.charCodeAt(0));
  let plane = null;

  // --- pictures into memory ---
  const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  async function pixels(base64, type) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type }));
    scratch.canvas.width = bitmap.width;
    scratch.canvas.height = bitmap.height;
    scratch.drawImage(bitmap, 0, 0);
    const rgba = scratch.getImageData(0, 0, bitmap.width, bitmap.height).data;
    bitmap.close();
    return rgba;
  }
  async function loadSlice(k) {
    const rgba = await pixels(data.slices[k], "image/jpeg");
    for (let i = 0, to = k * H * W; i < H * W; i++) grey[to + i] = rgba[4 * i];
    loaded[k] = 1;
  }
  async function loadMap() {
    for (let s = 0; s < data.mapSheets.length; s++) {
      const rgba = await pixels(data.mapSheets[s], "image/webp");
      const from = s * data.tiles * mapH * mapW, count = Math.min(map.length - from, data.tiles * mapH * mapW);
      for (let i = 0; i < count; i++) map[from + i] = rgba[4 * i];
    }
  }
  async function loadSlices() {
    const centre = state.index[data.sliceView];
    const order = Array.from({ length: D }, (_, k) => k).sort((a, b) => Math.abs(a - centre) - Math.abs(b - centre));
    for (const [n, k] of order.entries()) {
      if (!loaded[k]) await loadSlice(k);
      if (n === 0 || k === state.index[data.sliceView] || (state.view !== data.sliceView && n % 8 === 7)) draw();
      $("progress").style.width = (100 * (n + 1)) / D + "%";
    }
    $("progress").parentElement.hidden = true;
    draw();
    root.dataset.ready = "true";
  }

  // --- drawing ---
  function walk(view, shape, step, index) {
    const along = ({ axis, forward }) => ({ step: forward ? step[axis] : -step[axis], start: forward ? 0 : (shape[axis] - 1) * step[axis] });
    const right = along(view.right), down = along(view.down);
    return { width: shape[view.right.axis], height: shape[view.down.axis], offset: index * step[view.fixed] + right.start + down.start, right: right.step, down: down.step };
  }
  // The map's value per pixel, linear between its cells in all three axes.
  function mapPlane(view, index, width, height) {
    const taps = (axis, length, forward) => Array.from({ length }, (_, i) => {
      const at = forward ? i : length - 1 - i;
      const cell = Math.min(mapSizes[axis] - 1, Math.max(0, ((at + 0.5) * mapSizes[axis]) / sizes[axis] - 0.5));
      const low = Math.floor(cell);
      return [low * mapStrides[axis], Math.min(low + 1, mapSizes[axis] - 1) * mapStrides[axis], cell - low];
    });
    const across = taps(view.right.axis, width, view.right.forward), down = taps(view.down.axis, height, view.down.forward);
    const [f0, f1, f] = taps(view.fixed, sizes[view.fixed], true)[index];
    const out = new Float32Array(width * height);
    for (let y = 0; y < height; y++) {
      const [y0, y1, v] = down[y];
      for (let x = 0; x < width; x++) {
        const [x0, x1, u] = across[x];
        const at = (base) => {
          const top = map[base + y0 + x0] * (1 - u) + map[base + y0 + x1] * u;
          const low = map[base + y1 + x0] * (1 - u) + map[base + y1 + x1] * u;
          return top * (1 - v) + low * v;
        };
        out[y * width + x] = (f ? at(f0) * (1 - f) + at(f1) * f : at(f0)) / 255;
      }
    }
    return out;
  }
  function draw() {
    const view = data.views[state.view], index = state.index[state.view];
    const at = walk(view, sizes, strides, index);
    const key = state.view + index;
    if (plane?.key !== key) plane = { key, values: mapPlane(view, index, at.width, at.height) };
    if (canvas.width !== at.width || canvas.height !== at.height) { canvas.width = at.width; canvas.height = at.height; }
    canvas.style.setProperty("--ratio", (at.width * data.spacingMm[view.right.axis]) / (at.height * data.spacingMm[view.down.axis]));
    const image = pen.createImageData(at.width, at.height), out = image.data, table = data.windows[state.window];
    for (let y = 0, i = 0; y < at.height; y++)
      for (let x = 0, from = at.offset + y * at.down; x < at.width; x++, i++, from += at.right) {
        const g = table[grey[from]], value = plane.values[i];
        const t = Math.min(1, 2 * value);
        const a = state.colors && value > 0.004 && value >= state.threshold ? state.opacity * t * t * (3 - 2 * t) : 0;
        const row = 3 * Math.min(255, Math.floor(value * 256));
        for (let c = 0; c < 3; c++) out[4 * i + c] = g + (colors[row + c] - g) * a;
        out[4 * i + 3] = 255;
      }
    pen.putImageData(image, 0, 0);
    for (const side of ["left", "right", "top", "bottom"]) $(side).textContent = view.letters[side];
    const mm = data.originMm[view.fixed] + index * data.spacingMm[view.fixed];
    if (isScan) $("where").textContent = state.view + " " + (index + 1) + " / " + sizes[view.fixed] + (view.fixed === 0 ? " · " + mm.toFixed(1) + " mm" : "");
    const slider = $("slice");
    slider.max = sizes[view.fixed] - 1;
    slider.value = index;
    const cursor = document.querySelector("[data-cursor]");
    if (cursor) cursor.style.left = (100 * (state.index[data.sliceView] + 0.5)) / D + "%";
    root.dataset.view = state.view;
    root.dataset.index = index;
  }

  // --- what the reader does ---
  let waiting = 0;
  const redraw = () => { if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); }); };
  async function go(index) {
    const view = data.views[state.view], size = sizes[view.fixed];
    state.index[state.view] = Math.min(size - 1, Math.max(0, Math.round(index)));
    const k = state.index[state.view];
    if (view.fixed === 0 && !loaded[k]) await loadSlice(k);
    redraw();
  }
  const step = (by) => go(state.index[state.view] + by);
  const press = (group, value) => { for (const b of root.querySelectorAll("[data-" + group + "-of]")) b.setAttribute("aria-pressed", b.dataset[group + "Of"] === value); };
  function show(view) { stop(); state.view = view; press("view", view); redraw(); }
  function stop() { clearInterval(state.timer); state.timer = 0; $("play").textContent = "Play"; }
  function play() {
    if (state.timer) return stop();
    $("play").textContent = "Stop";
    state.timer = setInterval(() => { const size = sizes[data.views[state.view].fixed]; go((state.index[state.view] + 1) % size); }, 70);
  }
  function toMaximum() { stop(); for (const [name, view] of Object.entries(data.views)) state.index[name] = data.peak[view.fixed]; go(state.index[state.view]); }
  for (const b of root.querySelectorAll("[data-view-of]")) b.onclick = () => show(b.dataset.viewOf);
  for (const b of root.querySelectorAll("[data-window-of]")) b.onclick = () => { state.window = b.dataset.windowOf; press("window", state.window); redraw(); };
  $("slice").oninput = (e) => go(Number(e.target.value));
  $("opacity").oninput = (e) => { state.opacity = Number(e.target.value); redraw(); };
  $("threshold").oninput = (e) => { state.threshold = Number(e.target.value); $("threshold-value").textContent = state.threshold.toFixed(2); redraw(); };
  $("map").onchange = (e) => { state.colors = e.target.checked; redraw(); };
  $("play").onclick = play;
  $("maximum").onclick = toMaximum;
  let turned = 0;
  $("stage").addEventListener("wheel", (e) => {
    const index = state.index[state.view], last = sizes[data.views[state.view].fixed] - 1;
    if (e.deltaY < 0 ? index === 0 : index === last) return; // at an end the page scrolls on
    e.preventDefault();
    turned += e.deltaMode ? e.deltaY * 40 : e.deltaY;
    const steps = Math.trunc(turned / 40);
    if (steps) { turned -= steps * 40; step(steps); }
  }, { passive: false });
  const keys = {
    ArrowDown: () => step(-1), ArrowLeft: () => step(-1), ArrowUp: () => step(1), ArrowRight: () => step(1),
    PageDown: () => step(-10), PageUp: () => step(10), Home: () => go(0), End: () => go(Infinity), " ": play,
    m: () => $("map").click(), x: toMaximum, ...Object.fromEntries(views.map((view, i) => [i + 1, () => show(view)])),
  };
  $("stage").addEventListener("keydown", (e) => { const act = keys[e.key]; if (act && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); act(); } });
  const voxelAt = (e) => {
    const box = canvas.getBoundingClientRect(), view = data.views[state.view], index = [0, 0, 0];
    const x = Math.min(canvas.width - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * canvas.width)));
    const y = Math.min(canvas.height - 1, Math.max(0, Math.floor(((e.clientY - box.top) / box.height) * canvas.height)));
    index[view.fixed] = state.index[state.view];
    index[view.right.axis] = view.right.forward ? x : canvas.width - 1 - x;
    index[view.down.axis] = view.down.forward ? y : canvas.height - 1 - y;
    return { index, pixel: y * canvas.width + x };
  };
  canvas.onmousemove = (e) => {
    const { index, pixel } = voxelAt(e);
    const lps = [0, 1, 2].map((axis) => index.reduce((sum, i, a) => sum + data.directions[a][axis] * data.spacingMm[a] * i, data.corner[axis]));
    const byte = grey[index[0] * H * W + index[1] * W + index[2]];
    $("readout").textContent = "map " + (plane?.values[pixel] ?? 0).toFixed(2) + " · about " + data.values[byte] + " " + data.unit + (isScan ? " · LPS " + lps.map((v) => v.toFixed(0)).join(", ") + " mm" : "");
  };
  canvas.onmouseleave = () => { $("readout").textContent = ""; };
  canvas.onclick = (e) => {
    const { index } = voxelAt(e);
    for (const [name, view] of Object.entries(data.views)) if (name !== state.view) state.index[name] = index[view.fixed];
    $("stage").focus();
    redraw();
  };
  const curve = document.querySelector("[data-curve]");
  if (curve) {
    const jump = (e) => {
      const box = curve.getBoundingClientRect();
      if (state.view !== data.sliceView) show(data.sliceView);
      go(((e.clientX - box.left) / box.width) * D - 0.5);
    };
    curve.onpointerdown = (e) => { curve.setPointerCapture(e.pointerId); jump(e); };
    curve.onpointermove = (e) => { if (e.buttons) jump(e); };
  }
  root.hidden = false;
  loadMap().then(loadSlices); // some kilobytes: no slice is ever seen without its map
})();
`;
