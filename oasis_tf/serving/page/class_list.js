// The list of classes with search, the chosen class and the recent ones.

const RECENT = 8;

export class ClassList {
  #rows = [];
  #recent = [];

  // `onChoose(id)` is called when another class is chosen; `onDone()` when the search is left.
  constructor(model, onChoose, onDone) {
    this.names = model.class_names;
    this.colours = model.palette.map((rgb) => `rgb(${rgb.join(" ")})`);
    this.onChoose = onChoose;
    this.list = document.getElementById("classes");
    this.search = document.getElementById("search");
    this.used = document.getElementById("used");
    this.shares = new Map();
    this.list.replaceChildren(...this.names.map((name, id) => this.#row(name, id)));
    this.list.onclick = (event) => {
      const row = event.target.closest("li");
      if (row) this.choose(Number(row.dataset.id));
    };
    this.search.oninput = this.used.onchange = () => this.#filter();
    const keys = (event) => {
      const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
      if (move) this.#step(move);
      else if (event.key === "Enter" && this.#visible().length) {
        if (!this.#visible().includes(this.#rows[this.id])) this.#step(1);
        this.#leave(onDone);
      } else if (event.key === "Escape") this.#leave(onDone);
      else return;
      event.preventDefault();
    };
    this.search.onkeydown = this.list.onkeydown = keys;
  }

  choose(id) {
    if (id === this.id) return;
    this.#rows[this.id]?.setAttribute("aria-selected", "false");
    this.id = id;
    this.#rows[id].setAttribute("aria-selected", "true");
    this.#rows[id].scrollIntoView({ block: "nearest" });
    const chosen = document.getElementById("chosen");
    chosen.style.setProperty("--colour", this.colours[id]);
    chosen.querySelector("b").textContent = this.names[id];
    if (!this.#recent.includes(id)) {
      this.#recent = [id, ...this.#recent].slice(0, RECENT);
      this.#showRecent();
    }
    this.onChoose(id);
  }

  chooseRecent(number) {
    if (number < this.#recent.length) this.choose(this.#recent[number]);
  }

  // Shows how much of the label map each class covers.
  count(ids) {
    const counts = new Uint32Array(this.names.length);
    for (const id of ids) counts[id]++;
    const shares = new Map();
    counts.forEach((count, id) => {
      if (count) shares.set(id, `${Math.max(1, Math.round((100 * count) / ids.length))}%`);
    });
    for (const id of new Set([...this.shares.keys(), ...shares.keys()]))
      this.#rows[id].lastChild.textContent = shares.get(id) ?? "";
    this.shares = shares;
    if (this.used.checked) this.#filter();
  }

  #row(name, id) {
    const row = document.createElement("li");
    row.role = "option";
    row.dataset.id = id;
    row.title = `${name} (${id})`;
    row.append(document.createElement("i"), document.createElement("span"), document.createElement("small"));
    row.firstChild.className = "swatch";
    row.firstChild.style.setProperty("--colour", this.colours[id]);
    row.children[1].textContent = name;
    this.#rows.push(row);
    return row;
  }

  #showRecent() {
    const buttons = this.#recent.map((id, i) => {
      const button = document.createElement("button");
      button.style.setProperty("--colour", this.colours[id]);
      button.title = `${this.names[id]} (${i + 1})`;
      button.ariaLabel = this.names[id];
      button.onclick = () => this.choose(id);
      return button;
    });
    document.getElementById("recent").replaceChildren(...buttons);
  }

  #filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.#rows.forEach((row, id) => {
      const name = this.names[id].toLowerCase();
      row.hidden = (this.used.checked && !this.shares.has(id)) ||
        !words.every((word) => name.includes(word) || word === String(id));
    });
  }

  #leave(onDone) {
    this.search.value = "";
    this.#filter();
    this.#rows[this.id].scrollIntoView({ block: "nearest" });
    onDone();
  }

  #visible() {
    return this.#rows.filter((row) => !row.hidden);
  }

  #step(by) {
    const rows = this.#visible();
    if (!rows.length) return;
    const now = rows.indexOf(this.#rows[this.id]);
    const next = now < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, now + by));
    this.choose(Number(rows[next].dataset.id));
  }
}
