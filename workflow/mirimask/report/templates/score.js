"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const part = (id) => document.getElementById(id);
const letters = { s: "success", n: "near", f: "failure", u: "unsure" };
const known = new Map(data.items.map((item) => [item.item, item]));
const columns = ["scorer", "image", "method", "id", "verdict", "item", "order", "study"];
const pictures = new Map();
let scorer = "", order = [], verdicts = {}, history = [], kept = true;

// What a cut-out is of stays encoded until the file is saved: nothing of it is in the page.
const key = (item) => JSON.parse(decodeURIComponent(atob(item.key).replace(/[^]/g, (c) => "%" + c.charCodeAt(0).toString(16).padStart(2, "0"))));

// Each scorer has an order of their own, the same whenever they come back.
function shuffled(items, seed) {
  let state = 2166136261;
  for (const c of new TextEncoder().encode(seed)) state = Math.imul(state ^ c, 16777619);
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

const place = () => `mirimask by eye: ${data.study} ${data.content} ${scorer}`;

function load() {
  verdicts = {};
  history = [];
  try {
    const stored = JSON.parse(localStorage.getItem(place()) || "{}");
    for (const [item, verdict] of stored.history || []) {
      if (known.has(item) && Object.values(letters).includes(verdict)) {
        verdicts[item] = verdict;
        history.push(item);
      }
    }
  } catch (error) {
    warn();
  }
}

function store() {
  try {
    localStorage.setItem(place(), JSON.stringify({ history: history.map((item) => [item, verdicts[item]]) }));
    localStorage.setItem(`mirimask by eye: ${data.study} ${data.content}`, scorer);
  } catch (error) {
    warn();
  }
}

function warn() {
  kept = false;
  part("unkept").hidden = false;
  part("unkept").textContent = "This browser keeps nothing for this page: save your verdicts as a file before you close it.";
}

const current = () => order.find((item) => !(item.item in verdicts));

function picture(uri) {
  if (!pictures.has(uri)) {
    const made = new Image();
    made.addEventListener("load", draw);
    made.src = uri;
    pictures.set(uri, made);
  }
  return pictures.get(uri);
}

function draw() {
  const item = current();
  if (!item || part("work").hidden) return;
  const original = data.originals[item.original], side = original.side;
  for (const [id, uri] of [["left", original.uri], ["right", item.mask]]) {
    const canvas = part(id), pen = canvas.getContext("2d");
    const width = Math.max(Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)), 1);
    canvas.width = canvas.height = width;
    const zoom = width / side;
    pen.imageSmoothingEnabled = false;
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, width, width);
    if (!picture(uri).complete) continue;
    pen.drawImage(picture(uri), 0, 0, width, width);
    if (!part("circles").checked) continue;
    const x = (original.x + 0.5) * zoom, y = (side - 0.5 - original.y) * zoom;
    for (const [radius, dash, thick] of [[original.radius, [], 2], [original.radius + original.near, [6, 6], 1.4]]) {
      for (const [colour, wide] of [["rgba(0,0,0,.6)", thick + 2.5], ["#ffb000", thick]]) {
        pen.beginPath();
        pen.setLineDash(dash.map((d) => (d * width) / 500));
        pen.strokeStyle = colour;
        pen.lineWidth = (wide * width) / 420;
        pen.arc(x, y, radius * zoom, 0, 2 * Math.PI);
        pen.stroke();
      }
    }
  }
}

function show(said) {
  const scored = history.length, all = data.items.length, item = current();
  part("progress").value = scored;
  part("count").textContent = item ? `Cut-out ${scored + 1} of ${all}` : `All ${all} cut-outs are scored`;
  part("pair").hidden = !item;
  part("done").hidden = Boolean(item);
  part("done").textContent = all ? "Thank you. Save your verdicts as a file now." : "There is nothing to score: no source lies on an image.";
  for (const button of part("marks").children) button.disabled = !item;
  part("undo").disabled = !scored;
  part("export").disabled = !scored;
  if (said !== undefined) part("said").textContent = said;
  draw();
  const next = order.filter((one) => !(one.item in verdicts))[1];
  if (next) [data.originals[next.original].uri, next.mask].forEach(picture);
}

function give(verdict) {
  const item = current();
  if (!item) return;
  verdicts[item.item] = verdict;
  history.push(item.item);
  store();
  show(`Noted: ${verdict}. ${history.length} of ${data.items.length} scored.`);
}

function undo() {
  const last = history.pop();
  if (last === undefined) return;
  const taken = verdicts[last];
  delete verdicts[last];
  // the last one again, not the one after it
  order = [known.get(last), ...order.filter((item) => item.item !== last)];
  store();
  show(`Taken back: ${taken}.`);
}

const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function save() {
  const lines = [columns.join(",")];
  history.forEach((item, i) => {
    const [image, method, id] = key(known.get(item));
    lines.push([scorer, image, method, id, verdicts[item], item, String(i + 1), data.study].map(quoted).join(","));
  });
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  anchor.download = "verdicts_by_eye.csv";
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10000);
  part("said").textContent = `Saved ${history.length} verdicts as verdicts_by_eye.csv.`;
}

function parsed(text) {
  const rows = [];
  let row = [], cell = "", inside = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inside) {
      if (c === '"' && text[i + 1] === '"') { cell += '"'; i++; }
      else if (c === '"') inside = false;
      else cell += c;
    } else if (c === '"') inside = true;
    else if (c === ",") { row.push(cell); cell = ""; }
    else if (c === "\n") { row.push(cell.replace(/\r$/, "")); rows.push(row); row = []; cell = ""; }
    else cell += c;
  }
  if (cell || row.length) rows.push([...row, cell]);
  return rows.filter((one) => one.some((value) => value !== ""));
}

function take(text) {
  const [head, ...rows] = parsed(text.replace(/^\uFEFF/, ""));
  const at = Object.fromEntries((head || []).map((name, i) => [name, i]));
  for (const name of ["scorer", "verdict", "item"])
    if (!(name in at)) throw new Error(`the file has no column '${name}'`);
  const names = [...new Set(rows.map((row) => row[at.scorer]))];
  if (names.length !== 1) throw new Error(`the file must hold the verdicts of one scorer, it has ${names.length}`);
  rows.forEach((row, i) => {
    if (!Object.values(letters).includes(row[at.verdict])) throw new Error(`row ${i + 2}: '${row[at.verdict]}' is not a verdict`);
  });
  scorer = names[0];
  load();
  let others = 0;
  for (const row of rows) {
    const item = row[at.item];
    if (!known.has(item)) others += 1;
    else {
      if (!(item in verdicts)) history.push(item);
      verdicts[item] = row[at.verdict];
    }
  }
  store();
  begin(`Took ${rows.length - others} verdicts from the file` + (others ? `; ${others} belong to cut-outs that are no longer part of the study.` : "."));
}

function begin(said) {
  order = shuffled(data.items, `${scorer} ${data.content}`);
  part("scorer").value = scorer;
  part("start").hidden = true;
  part("work").hidden = false;
  show(said ?? (history.length ? `Welcome back, ${scorer}: ${history.length} verdicts were kept.` : ""));
  part("main").focus({ preventScroll: true });
}

part("who").addEventListener("submit", (event) => {
  event.preventDefault();
  scorer = part("scorer").value.trim();
  if (!scorer) return;
  load();
  begin();
});
part("import").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  try {
    take(await file.text());
    part("problem").hidden = true;
  } catch (error) {
    part("problem").hidden = false;
    part("problem").textContent = `${file.name} was not taken: ${error.message}.`;
  }
  event.target.value = "";
});
addEventListener("keydown", (event) => {
  if (part("work").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const pressed = event.key.toLowerCase();
  if (pressed in letters) give(letters[pressed]);
  else if (pressed === "z" || event.key === "Backspace") undo();
  else return;
  event.preventDefault();
});
part("marks").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) give(button.dataset.verdict);
});
part("undo").addEventListener("click", undo);
part("export").addEventListener("click", save);
part("circles").addEventListener("input", draw);
part("back").addEventListener("click", () => {
  part("start").hidden = false;
  part("work").hidden = true;
  part("scorer").focus();
});
addEventListener("resize", draw);
addEventListener("beforeunload", (event) => { if (!kept && history.length) event.preventDefault(); });
// The same page in another tab: take over what was scored there, and lose nothing.
addEventListener("storage", (event) => {
  if (scorer && event.key === place()) { load(); show("Taken over from another tab."); }
});

try {
  part("scorer").value = localStorage.getItem(`mirimask by eye: ${data.study} ${data.content}`) || "";
} catch (error) {
  warn();
}
