// Wires the page: state -> screen, and buttons, keys and files -> state.

import { Backend } from "./backend.js";
import { ClassList } from "./class_list.js";
import { checkSize, download, labelFile, readScene, stateFile } from "./files.js";
import { LabelCanvas } from "./label_canvas.js";
import { PictureCanvas } from "./picture_canvas.js";
import { Progress } from "./progress.js";
import { History, newScene, resample, resampleAll } from "./scene.js";
import { Variants } from "./variants.js";

const $ = (id) => document.getElementById(id);
const backend = new Backend();
const history = new History();
const progress = new Progress();

let model, classes, labels, pictures, variants;
let wanted = null; // the scene to draw next
let busy = false;
let again = null; // what was last drawn anew

start().catch((error) => {
  note("");
  showError(error);
});

async function start() {
  $("model").textContent = backend.name;
  $("error-close").onclick = hideError;
  $("notice-close").onclick = () => note("");
  model = await backend.open(wait);
  note("");
  for (const part of document.querySelectorAll("[inert]")) part.inert = false;
  document.title = `${backend.name} · label map editor`;
  showModel();
  classes = new ClassList(model, (id) => { labels.id = id; }, () => {
    fold(false);
    $("labels").focus();
  });
  labels = new LabelCanvas(model, { onPaint: paint, onPick: (id) => classes.choose(id), onHover: hover });
  pictures = new PictureCanvas(select);
  variants = new Variants(open, compare);
  bind();
  chooseTool("brush");
  choosePick("class");
  const [height, width] = model.image_size;
  setSize(Math.round(Math.min(height, width) / 8));
  classes.choose(Math.min(1, model.num_classes - 1));
  history.push(newScene(new Uint16Array(width * height), width, height));
  refresh();
  say("Paint on the left; the picture appears here.");
  setState("ready");
}

function wait(text) {
  setState("waiting");
  note(text);
}

// ---- state -> screen

function setState(state) {
  document.body.dataset.state = state;
}

function showModel() {
  const parts = [backend.name, `${model.num_classes} classes`, backend.engine];
  $("model").textContent = parts.filter(Boolean).join(" · ");
}

function refresh() {
  const { scene } = history;
  labels.show(scene);
  pictures.resize(scene);
  classes.count(scene.ids);
  layout();
  $("undo").disabled = !history.canUndo;
  $("redo").disabled = !history.canRedo;
  $("again").disabled = !again;
  $("save-picture").disabled = !variants.current;
}

// Canvases as large as their stages allow.
function layout() {
  const { width, height } = history.scene;
  document.querySelector("main").style.setProperty("--aspect", `${width} / ${height}`);
  for (const stage of document.querySelectorAll(".stage")) {
    const scale = Math.min(stage.clientWidth / width, stage.clientHeight / height);
    for (const element of stage.querySelectorAll("canvas, #slider")) {
      element.style.width = `${Math.floor(width * scale)}px`;
      element.style.height = `${Math.floor(height * scale)}px`;
    }
  }
}

function hover(id, x, y) {
  $("under").textContent = id === null ? "" : `${classes.names[id]} (${id}) at ${x}, ${y}`;
}

function say(text) {
  $("status").textContent = text;
}

// What is to be read before one goes on, until it is closed; "" takes it away.
function note(text) {
  $("notice-text").textContent = text;
  $("notice").hidden = !text;
}

function showError(error) {
  $("error-text").textContent = error.message;
  $("error").hidden = false;
  setState("error");
}

function hideError() {
  $("error").hidden = true;
}

// ---- changes

function change(scene) {
  history.push(scene);
  refresh();
  if ($("live").checked) generate();
}

function paint(ids) {
  change({ ...history.scene, ids });
}

function select(pixels) {
  again = pixels;
  drawAnew();
}

function drawAnew() {
  if (!again) return;
  history.push(resample(history.scene, again(history.scene)));
  refresh();
  generate();
}

function drawAllAnew() {
  history.push(resampleAll(history.scene));
  refresh();
  generate();
}

// To a scene that was there before: by undo, redo or a click on a variant.
async function goTo(scene) {
  refresh();
  const variant = variants.find(scene);
  if (variant) {
    wanted = null;
    variants.select(variant);
    await pictures.show(variant.blob);
    say("");
  } else if ($("live").checked) generate();
  else say("The label map has changed since this picture.");
}

function open(variant) {
  if (variant.scene !== history.scene) history.push(variant.scene);
  goTo(variant.scene);
}

async function compare(variant) {
  if (!variant || variant === variants.current) {
    await pictures.compare(null);
    say(variant ? "That is the picture shown." : "");
    return;
  }
  await pictures.compare(variant.blob);
  say("Left of the line: the other variant. V ends the comparison.");
}

// ---- generation: one at a time, and then the newest scene only

async function generate() {
  wanted = history.scene;
  if (busy) return;
  busy = true;
  hideError();
  setState("busy");
  while (wanted) {
    const scene = wanted;
    wanted = null;
    const { width, height } = scene;
    const end = progress.start(width * height, (seconds) => say(`Drawing … ${seconds.toFixed(1)} s`));
    try {
      const picture = new Blob([await backend.paint(scene)], { type: "image/png" });
      const seconds = end(true);
      showModel();
      variants.add(scene, picture);
      if (scene.width === history.scene.width && scene.height === history.scene.height)
        await pictures.show(picture);
      say(`Drawn in ${seconds.toFixed(1)} s. Click something in the picture to draw it anew.`);
    } catch (error) {
      end(false);
      wanted = null;
      busy = false;
      say("");
      showError(error);
      return;
    }
  }
  busy = false;
  $("save-picture").disabled = false;
  setState("ready");
}

// ---- files

async function openFile(file) {
  try {
    const [scene, remark, notice] = await readScene(file, model, backend.name);
    again = null;
    await pictures.compare(null);
    history.push(scene);
    refresh();
    hideError();
    note(notice);
    setState("ready");
    if ($("live").checked) await generate();
    if (remark) say(remark);
  } catch (error) {
    showError(error);
  }
}

async function saveLabels() {
  download(new Blob([await labelFile(history.scene, model)], { type: "image/png" }), `${backend.name}-labels.png`);
}

async function saveState() {
  download(await stateFile(history.scene, model, backend.name), `${backend.name}-state.json`);
}

function savePicture() {
  if (variants.current) download(variants.current.blob, `${backend.name}-picture.png`);
}

// ---- tools

// On a phone: shows or hides the list of classes.
function fold(open) {
  document.querySelector("aside").classList.toggle("open", open);
  $("fold").ariaExpanded = String(open);
}

function chooseTool(tool) {
  labels.tool = tool;
  for (const button of document.querySelectorAll("[data-tool]"))
    button.ariaPressed = String(button.dataset.tool === tool);
}

async function choosePick(pick) {
  pictures.pick = pick;
  for (const button of document.querySelectorAll("[data-pick]"))
    button.ariaPressed = String(button.dataset.pick === pick);
  if (pictures.comparing) await compare(null);
}

function setSize(size) {
  labels.size = pictures.size = Math.min(128, Math.max(1, size));
  $("size").value = labels.size;
  $("size-out").textContent = labels.size;
}

function newDialog() {
  $("new-width").value = history.scene.width;
  $("new-height").value = history.scene.height;
  $("new-width").step = $("new-height").step = model.size_multiple;
  $("new-dialog").returnValue = "";
  $("new-dialog").showModal();
}

function createNew() {
  if ($("new-dialog").returnValue !== "ok") return;
  const [width, height] = [$("new-width").valueAsNumber, $("new-height").valueAsNumber];
  try {
    checkSize(width, height, model);
  } catch (error) {
    showError(error);
    return;
  }
  again = null;
  change(newScene(new Uint16Array(width * height).fill(classes.id), width, height));
}

// ---- buttons and keys

function bind() {
  const actions = {
    "new": newDialog, "open": () => $("file").click(), "save": saveState,
    "save-picture": savePicture, "save-labels": saveLabels, "help": () => $("help-dialog").showModal(),
    "undo": () => history.canUndo && goTo(history.undo()),
    "redo": () => history.canRedo && goTo(history.redo()),
    "fold": () => fold($("fold").ariaExpanded === "false"),
    "generate": generate, "all": drawAllAnew, "again": drawAnew,
  };
  for (const [id, action] of Object.entries(actions)) $(id).onclick = () => action();
  for (const button of document.querySelectorAll("[data-tool]"))
    button.onclick = () => chooseTool(button.dataset.tool);
  for (const button of document.querySelectorAll("[data-pick]"))
    button.onclick = () => choosePick(button.dataset.pick);
  $("classes").addEventListener("click", () => fold(false));
  $("size").oninput = () => setSize($("size").valueAsNumber);
  $("new-dialog").onclose = createNew;
  $("file").onchange = () => {
    if ($("file").files.length) openFile($("file").files[0]);
    $("file").value = "";
  };
  document.ondragover = (event) => event.preventDefault();
  document.ondrop = (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) openFile(event.dataTransfer.files[0]);
  };
  new ResizeObserver(layout).observe(document.querySelector("main"));
  document.onkeydown = (event) => {
    const action = keyAction(event, actions);
    if (action) {
      event.preventDefault();
      action();
    }
  };
}

function keyAction(event, actions) {
  if (document.querySelector("dialog[open]") || event.altKey) return null;
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() === "z") return event.shiftKey ? actions.redo : actions.undo;
    return event.key.toLowerCase() === "y" ? actions.redo : null;
  }
  if (event.target.matches("input[type=search], input[type=number]")) return null;
  if (event.key >= "1" && event.key <= "8") return () => classes.chooseRecent(Number(event.key) - 1);
  if (event.key === "Enter" && event.target.matches("button, summary, a")) return null;
  return {
    b: () => chooseTool("brush"), f: () => chooseTool("fill"),
    r: () => chooseTool("rectangle"), p: () => chooseTool("pick"),
    "[": () => setSize(labels.size - Math.max(1, labels.size >> 2)),
    "]": () => setSize(labels.size + Math.max(1, labels.size >> 2)),
    "/": () => { fold(true); $("search").select(); }, "?": actions.help,
    g: actions.generate, Enter: actions.generate, a: actions.all, x: actions.again,
    c: () => choosePick("class"), e: () => choosePick("region"),
    "<": () => variants.step(-1), ">": () => variants.step(1),
    v: () => compare(pictures.comparing ? null : variants.before),
    n: actions.new, o: actions.open, s: actions.save, d: actions["save-picture"], l: actions["save-labels"],
  }[event.key];
}
