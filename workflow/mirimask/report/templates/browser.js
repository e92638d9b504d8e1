"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const part = (id) => document.getElementById(id);
const canvas = part("canvas"), pen = canvas.getContext("2d");
const pictures = new Map();
const view = { zoom: 1, x: 0, y: 0 }; // screen pixels for an image pixel; image position at the centre
const styles = {
  success: { colour: "#4da3ff", dash: [] },
  near: { colour: "#ffd23f", dash: [8, 4] },
  failure: { colour: "#ff5d73", dash: [2, 4] },
};
const words = { success: "success", near: "near miss", failure: "failure" };
let image = data.images[0], method = image ? image.masks[0] : null, chosen = -1, fitted = true;
let strength = part("strength").defaultValue; // what m returns to

function picture(uri) {
  if (!pictures.has(uri)) {
    const made = new Image();
    made.addEventListener("load", draw);
    made.src = uri;
    pictures.set(uri, made);
  }
  return pictures.get(uri);
}

// Rows of the image count upwards, those of the screen downwards; x, y are centres of pixels.
const across = (x) => (x + 0.5 - view.x) * view.zoom + canvas.clientWidth / 2;
const down = (y) => (image.ny - 0.5 - y - view.y) * view.zoom + canvas.clientHeight / 2;

function fit() {
  view.zoom = Math.min(canvas.clientWidth / image.nx, canvas.clientHeight / image.ny);
  view.x = image.nx / 2;
  view.y = image.ny / 2;
  fitted = true;
  draw();
}

function keepInside() {
  view.zoom = Math.min(Math.max(view.zoom, 0.05), 40);
  view.x = Math.min(Math.max(view.x, 0), image.nx);
  view.y = Math.min(Math.max(view.y, 0), image.ny);
}

function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
  const dx = px - canvas.clientWidth / 2, dy = py - canvas.clientHeight / 2;
  const before = view.zoom;
  view.zoom = Math.min(Math.max(before * factor, 0.05), 40);
  view.x += dx / before - dx / view.zoom;
  view.y += dy / before - dy / view.zoom;
  fitted = false;
  keepInside();
  draw();
}

function move(dx, dy) {
  view.x += dx / view.zoom;
  view.y += dy / view.zoom;
  fitted = false;
  keepInside();
  draw();
}

function draw() {
  if (!image) return;
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  pen.imageSmoothingEnabled = view.zoom < 1;
  const box = [across(-0.5), down(image.ny - 0.5), image.nx * view.zoom, image.ny * view.zoom];
  const below = part("below").value, under = below && picture(image[below]);
  if (under && under.complete) {
    pen.filter = `brightness(${part("brightness").value}%)`;
    pen.drawImage(under, ...box);
    pen.filter = "none";
  }
  if (method && picture(method.uri).complete) {
    pen.globalAlpha = part("strength").value / 100;
    pen.drawImage(picture(method.uri), ...box);
    pen.globalAlpha = 1;
  }
  if (part("circles").checked) image.sources.forEach((source, i) => ring(source, i));
}

function ring(source, i) {
  const style = styles[method ? method.verdicts[i].verdict : "near"], x = across(source.x), y = down(source.y);
  const radii = [[image.radius, 2.2, []]];
  if (i === chosen) radii.push([image.radius + image.near, 1.4, []]);
  for (const [radius, thickness] of radii) {
    for (const [colour, wide, dash] of [["#000", thickness + 2, []], [style.colour, i === chosen ? thickness + 1 : thickness, style.dash]]) {
      pen.beginPath();
      pen.setLineDash(dash);
      pen.strokeStyle = colour;
      pen.globalAlpha = colour === "#000" ? 0.55 : 1;
      pen.lineWidth = wide;
      pen.arc(x, y, radius * view.zoom, 0, 2 * Math.PI);
      pen.stroke();
    }
  }
  pen.globalAlpha = 1;
  pen.setLineDash([]);
}

const number = (value, digits) => (value === null ? "none" : value.toFixed(digits));

function tell() {
  const counts = { success: 0, near: 0, failure: 0 };
  const rows = part("rows");
  rows.replaceChildren();
  image.sources.forEach((source, i) => {
    const verdict = method.verdicts[i], row = document.createElement("tr");
    counts[verdict.verdict] += 1;
    const head = document.createElement("th"), button = document.createElement("button");
    head.scope = "row";
    button.type = "button";
    button.textContent = source.id;
    button.addEventListener("click", () => choose(i, true));
    head.append(button);
    row.append(head);
    for (const text of [words[verdict.verdict], number(verdict.distance, 1), number(verdict.snr, 0)]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    row.setAttribute("aria-current", String(i === chosen));
    rows.append(row);
  });
  const found = image.sources.length || "no";
  part("caption").textContent = `${image.name}: ${found} catalogue sources, ${method.label}`;
  part("summary").textContent =
    `${image.name}, ${method.label}: ${counts.success} success, ${counts.near} near, ` +
    `${counts.failure} failure; the mask marks ${method.kept.toLocaleString("en")} of ` +
    `${(image.pixels).toLocaleString("en")} observed pixels (${(100 * method.kept / image.pixels).toFixed(2)} %).`;
  canvas.setAttribute("aria-label", part("summary").textContent);
  draw();
}

function choose(i, centre) {
  chosen = i;
  const source = image.sources[i], verdict = method.verdicts[i];
  if (centre) {
    view.x = source.x + 0.5;
    view.y = image.ny - 0.5 - source.y;
    if (fitted) view.zoom = Math.max(view.zoom, 4);
    fitted = false;
  }
  part("status").textContent =
    `${source.id}: ${words[verdict.verdict]}` +
    (verdict.distance === null
      ? ", the mask marks no reference peak"
      : `, nearest marked peak ${number(verdict.distance, 1)} px away, S/N ${number(verdict.snr, 0)}`) +
    `; by the literal rule: ${words[verdict.literal]}. ` +
    `RA ${source.ra.toFixed(5)}, Dec ${source.dec.toFixed(5)} deg; x ${source.px.toFixed(1)}, y ${source.py.toFixed(1)} px.`;
  [...part("rows").children].forEach((row, j) => row.setAttribute("aria-current", String(j === i)));
  const row = part("rows").children[i], box = row.closest(".rows");
  if (row.offsetTop < box.scrollTop + 60 || row.offsetTop > box.scrollTop + box.clientHeight - 60)
    box.scrollTop = row.offsetTop - box.clientHeight / 2;
  draw();
}

function options(select, names, current) {
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === current)));
}

function showImage(i) {
  image = data.images[i];
  chosen = -1;
  part("image").selectedIndex = i;
  method = image.masks.find((mask) => method && mask.label === method.label) || image.masks[0];
  options(part("method"), image.masks.map((mask) => mask.label), method.label);
  part("status").textContent = "Choose a source in the image or in the table.";
  tell();
  fit();
}

function showMethod(i) {
  method = image.masks[i];
  part("method").selectedIndex = i;
  tell();
  if (chosen >= 0) choose(chosen, false);
}

function onAndOff() {
  const slider = part("strength"), on = Number(slider.value) > 0;
  if (on) strength = slider.value;
  slider.value = on ? 0 : strength;
  draw();
}

const turn = (i, step, n) => (i + step + n) % n;
const keys = {
  ArrowLeft: () => move(-60, 0), ArrowRight: () => move(60, 0),
  ArrowUp: () => move(0, -60), ArrowDown: () => move(0, 60),
  "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: fit,
  "[": () => showMethod(turn(part("method").selectedIndex, -1, image.masks.length)),
  "]": () => showMethod(turn(part("method").selectedIndex, 1, image.masks.length)),
  "<": () => showImage(turn(part("image").selectedIndex, -1, data.images.length)),
  ">": () => showImage(turn(part("image").selectedIndex, 1, data.images.length)),
  m: onAndOff,
  n: () => { if (image.sources.length) choose(turn(chosen, 1, image.sources.length), true); },
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  keys[event.key]();
  event.preventDefault();
});

const fingers = new Map();
let travelled = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
  if (fingers.size === 1) travelled = 0;
});
canvas.addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId)) return;
  const old = fingers.get(event.pointerId), now = [event.offsetX, event.offsetY];
  travelled += Math.hypot(now[0] - old[0], now[1] - old[1]);
  if (fingers.size === 1) {
    move(old[0] - now[0], old[1] - now[1]);
  } else if (fingers.size === 2) {
    const [, other] = [...fingers].find(([id]) => id !== event.pointerId);
    const spread = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]);
    zoom(spread(now) / Math.max(spread(old), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }
  fingers.set(event.pointerId, now);
});
for (const name of ["pointerup", "pointercancel"])
  canvas.addEventListener(name, (event) => {
    if (name === "pointerup" && fingers.size === 1 && travelled < 6) pick(event.offsetX, event.offsetY);
    fingers.delete(event.pointerId);
  });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
}, { passive: false });

function pick(px, py) {
  let best = -1, nearest = Math.max(image.radius * view.zoom, 22);
  image.sources.forEach((source, i) => {
    const distance = Math.hypot(across(source.x) - px, down(source.y) - py);
    if (distance <= nearest) [best, nearest] = [i, distance];
  });
  if (best >= 0) choose(best, false);
}

part("form").addEventListener("submit", (event) => event.preventDefault());
part("image").addEventListener("change", (event) => showImage(event.target.selectedIndex));
part("method").addEventListener("change", (event) => showMethod(event.target.selectedIndex));
for (const id of ["strength", "brightness", "circles"]) part(id).addEventListener("input", draw);
part("below").addEventListener("change", draw);
part("in").addEventListener("click", () => zoom(1.4));
part("out").addEventListener("click", () => zoom(1 / 1.4));
part("fit").addEventListener("click", fit);
new ResizeObserver(() => (fitted ? fit() : draw())).observe(canvas);

options(part("image"), data.images.map((one) => one.name), image.name);
showImage(0);
